import type { Reason } from './reason.ts'
import { reasonTable } from './reasons.ts'

/**
 * Which spelling goes out where Apple's documents and its service disagree: `observed` is what clients meet on
 * the wire today, `documented` is what the documents print.
 */
export type ReasonSpelling = 'observed' | 'documented'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

const observedBodies = new Map<Reason, Uint8Array>()
const documentedBodies = new Map<Reason, Uint8Array>()
for (const reason of reasonTable) {
  observedBodies.set(reason, encoder.encode(JSON.stringify({ reason: reason.text })))
  documentedBodies.set(reason, encoder.encode(JSON.stringify({ reason: reason.documentedText })))
}

/**
 * The JSON body of an error answer, also the debug data of a GOAWAY. Without a timestamp the bytes are made once
 * and shared: do not write to them. `timestampMs` (milliseconds since the epoch) belongs to the 410 reasons: when
 * the service learned that the token was no longer valid.
 */
export function errorBody(
  reason: Reason,
  timestampMs?: number,
  spelling: ReasonSpelling = 'observed',
): Uint8Array {
  if (timestampMs === undefined) {
    const made = (spelling === 'observed' ? observedBodies : documentedBodies).get(reason)
    if (made !== undefined) return made
  }
  const text = spelling === 'observed' ? reason.text : reason.documentedText
  const body =
    timestampMs === undefined ? { reason: text } : { reason: text, timestamp: Math.trunc(timestampMs) }
  return encoder.encode(JSON.stringify(body))
}

/** What an error body says. */
export interface ErrorBody {
  readonly reason: string
  /** Milliseconds since the epoch; only with a 410. */
  readonly timestampMs?: number
}

/** Reads an error body or the debug data of a GOAWAY; undefined when it is no JSON object with a reason. */
export function readErrorBody(bytes: Uint8Array): ErrorBody | undefined {
  let value: unknown
  try {
    value = JSON.parse(decoder.decode(bytes))
  } catch {
    // A proxy on the way may answer with HTML: the caller then has only the status to go by.
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { reason, timestamp } = value as { reason?: unknown; timestamp?: unknown }
  if (typeof reason !== 'string') return undefined
  return typeof timestamp === 'number' ? { reason, timestampMs: timestamp } : { reason }
}
