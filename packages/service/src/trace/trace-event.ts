import { apnsIdText, encodeChannelId, hexText } from '@carillon/wire'
import {
  discardedWhyNames,
  lostWhyNames,
  type Stage,
  stageNames,
  stageNumbers,
  storedWhyNames,
} from './stages.ts'
import type { TraceSubject } from './trace-block.ts'
import { encodePosition, type TracePosition } from './trace-position.ts'
import { idBytes, recordFlags, type TraceRecord } from './trace-record.ts'

/** One event as the admin API tells it. What does not apply is absent. */
export interface TraceEvent {
  /** The place behind it. */
  readonly cursor: string
  /** ISO 8601, UTC. */
  readonly at: string
  readonly stage: Stage
  readonly apnsId?: string
  /** `received` in the sandbox. */
  readonly uniqueId?: string
  /** `replaced`: the apns-id that took its place. */
  readonly by?: string
  /** Hex. */
  readonly token?: string
  /** Of a broadcast, whose `apnsId` is its request id: the channel. */
  readonly channel?: string
  readonly app?: string
  readonly topic?: string
  readonly pushType?: string
  readonly priority?: number
  /** Row number. */
  readonly device?: number
  /** `sent` of a broadcast: how many connected devices it was handed to. */
  readonly devices?: number
  /** `stored`, `discarded`, `lost`. */
  readonly why?: string
  /** `acknowledged`: 0 taken, 2 nobody takes this token. */
  readonly status?: number
  /** `rejected`. */
  readonly reason?: string
  readonly fromStorage?: boolean
  /** `lost`: how many, where it is known. */
  readonly records?: number
}

/** Undefined for a stage of a newer version. */
export function traceEventOf(
  record: TraceRecord,
  subject: TraceSubject | undefined,
  position: TracePosition,
): TraceEvent | undefined {
  const stage = stageNames[record.stage]
  if (stage === undefined) return undefined
  const begin = { cursor: encodePosition(position), at: new Date(record.atMs).toISOString(), stage }
  if (stage === 'lost') {
    const why = lostWhyNames[record.detail] ?? 'full'
    return { ...begin, why, ...(record.device > 0 ? { records: record.device } : {}) }
  }
  const { priority, flags } = record
  const { app = '', topic = '', pushType = '', reason = '' } = subject ?? {}
  const why = whyOf(record)
  return {
    ...begin,
    ...(isZero(record.apnsId) ? {} : { apnsId: apnsIdText(record.apnsId) }),
    ...otherIdOf(record),
    ...addresseeOf(stage, record),
    ...(app === '' ? {} : { app }),
    ...(topic === '' ? {} : { topic }),
    ...(pushType === '' ? {} : { pushType }),
    ...(priority === 0 ? {} : { priority }),
    ...(why === undefined ? {} : { why }),
    ...(stage === 'acknowledged' ? { status: record.detail } : {}),
    ...(reason === '' ? {} : { reason }),
    ...((flags & recordFlags.fromStorage) === 0 ? {} : { fromStorage: true }),
  }
}

/** Whom it is for: a token on a device, or the devices that listen to a channel. */
function addresseeOf(
  stage: Stage,
  { flags, token, device, detail }: TraceRecord,
): Pick<TraceEvent, 'token' | 'device' | 'channel' | 'devices'> {
  if ((flags & recordFlags.broadcast) !== 0) {
    return {
      ...(isZero(token) ? {} : { channel: encodeChannelId(token.subarray(0, idBytes)) }),
      ...(stage === 'sent' ? { devices: device } : {}),
    }
  }
  const sent = stage === 'rejected' && detail > 0 ? token.subarray(0, detail) : token
  return {
    ...(isZero(token) ? {} : { token: hexText(sent) }),
    ...(device === 0 ? {} : { device }),
  }
}

function whyOf({ stage, detail }: TraceRecord): string | undefined {
  if (stage === stageNumbers.stored) return storedWhyNames[detail]
  return stage === stageNumbers.discarded ? discardedWhyNames[detail] : undefined
}

function otherIdOf({ stage, otherId }: TraceRecord): { uniqueId?: string; by?: string } {
  if (isZero(otherId)) return {}
  const id = apnsIdText(otherId)
  return stage === stageNumbers.replaced ? { by: id } : { uniqueId: id }
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}
