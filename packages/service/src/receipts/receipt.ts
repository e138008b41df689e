import { type Stage, stageNumbers } from '../trace/stages.ts'
import type { TraceEvent } from '../trace/trace-event.ts'

/** What a provider is told of a notification after it was accepted. */
export const receiptTypes = [
  /** On its device. */
  'delivered',
  'shown',
  'opened',
  'expired',
  /** A newer one took its place before it was sent. */
  'replaced',
  /** It went nowhere: the token is not registered or its notifications are switched off. */
  'discarded',
  /** No app takes this token any more: do not send to it again. */
  'tokenInactive',
] as const

export type ReceiptType = (typeof receiptTypes)[number]

/** One receipt. */
export interface Receipt {
  /** The place behind it: what to ask for next with `after`. */
  readonly cursor: string
  /** ISO 8601, UTC. */
  readonly at: string
  readonly type: ReceiptType
  /** Of all but `tokenInactive`. */
  readonly apnsId?: string
  readonly token?: string
  readonly app?: string
  readonly topic?: string
  /** `replaced`: the apns-id of the newer one. */
  readonly by?: string
  /** `discarded` */
  readonly why?: string
}

const stageOf: Readonly<Record<ReceiptType, Stage>> = {
  delivered: 'acknowledged',
  shown: 'shown',
  opened: 'opened',
  expired: 'expired',
  replaced: 'replaced',
  discarded: 'discarded',
  tokenInactive: 'tokenInactive',
}

/** The stages in which the receipts of these types are found, and those that tell of a gap. */
export function receiptStages(types: readonly ReceiptType[]): ReadonlySet<number> {
  return new Set([stageNumbers.lost, ...types.map((type) => stageNumbers[stageOf[type]])])
}

/** Undefined for what is no receipt: a device that would not take it. */
export function receiptOf(event: TraceEvent): Receipt | undefined {
  const type = receiptTypes.find((type) => stageOf[type] === event.stage)
  if (type === undefined || (type === 'delivered' && event.status !== 0)) return undefined
  const { cursor, at, apnsId, token, app, topic, by, why } = event
  return {
    ...{ cursor, at, type },
    ...(apnsId === undefined ? {} : { apnsId }),
    ...(token === undefined ? {} : { token }),
    ...(app === undefined ? {} : { app }),
    ...(topic === undefined ? {} : { topic }),
    ...(by === undefined ? {} : { by }),
    ...(why === undefined ? {} : { why }),
  }
}
