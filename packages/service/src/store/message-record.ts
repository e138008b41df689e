/*
 * What the store keeps of a message beside its columns: one blob, so that a write binds few values.
 *
 *   version u8 = 1 | priority u8 | push type length u8 | topic length u8 | token length u8 | apns-id 16 bytes
 *   | received at u64 (ms) | push type | topic | token | payload (the rest)
 *
 * Texts are Latin-1, numbers big-endian.
 */
import type { PushType } from '@carillon/wire'
import { StoreError } from './store-error.ts'
import type { StoredMessage } from './stored-message.ts'

const version = 1
const apnsIdBytes = 16
const fixedBytes = 5 + apnsIdBytes + 8

/** The part of a message that lives in the record. */
export type RecordFields = Pick<
  StoredMessage,
  'topic' | 'token' | 'apnsId' | 'payload' | 'priority' | 'pushType' | 'receivedAtMs'
>

/** Bytes from the start of a record that hold all but its payload. */
export const recordHeadBytes = fixedBytes + 3 * 255

let scratch = Buffer.allocUnsafe(8192)

/**
 * The record of a message, as a view that the next call overwrites: give it to something that copies.
 *
 * @throws StoreError `STORE_RECORD_INVALID` for a topic, push type or token over 255 bytes
 */
export function encodeMessageRecord(message: RecordFields): Uint8Array {
  const { pushType, topic, token, payload } = message
  if (pushType.length > 255 || topic.length > 255 || token.length > 255) {
    throw new StoreError(
      'STORE_RECORD_INVALID',
      `The topic, push type or token of ${topic} exceeds 255 bytes.`,
    )
  }
  const length = fixedBytes + pushType.length + topic.length + token.length + payload.length
  if (length > scratch.length) scratch = Buffer.allocUnsafe(length * 2)
  scratch[0] = version
  scratch[1] = message.priority
  scratch[2] = pushType.length
  scratch[3] = topic.length
  scratch[4] = token.length
  scratch.set(message.apnsId, 5)
  scratch.writeUInt32BE(Math.floor(message.receivedAtMs / 2 ** 32), 21)
  scratch.writeUInt32BE(message.receivedAtMs % 2 ** 32, 25)
  const topicAt = fixedBytes + pushType.length
  const tokenAt = topicAt + topic.length
  putText(fixedBytes, pushType)
  putText(topicAt, topic)
  scratch.set(token, tokenAt)
  scratch.set(payload, tokenAt + token.length)
  return scratch.subarray(0, length)
}

/** The texts are short: for them a loop is quicker than a call into the runtime. */
function putText(offset: number, text: string): void {
  for (let index = 0; index < text.length; index++) scratch[offset + index] = text.charCodeAt(index)
}

/** What names a message, as it stands in its record. */
type RecordHead = Pick<StoredMessage, 'topic' | 'token' | 'apnsId' | 'priority' | 'pushType'>

/**
 * What names the message of a record, which may be cut behind `recordHeadBytes`. Byte fields of the result are views
 * of `record`.
 *
 * @param app of the message: most topics are the same text
 * @throws StoreError `STORE_RECORD_INVALID` for bytes that no version of this program wrote
 */
export function decodeRecordHead(record: Uint8Array, app: string): RecordHead {
  const payloadAt = payloadPlaceOf(record)
  const topicAt = fixedBytes + record[2]!
  const tokenAt = topicAt + record[3]!
  return {
    priority: record[1]!,
    apnsId: record.subarray(5, 5 + apnsIdBytes),
    pushType: textOf(record, fixedBytes, topicAt, usualPushType),
    topic: textOf(record, topicAt, tokenAt, app),
    token: record.subarray(tokenAt, payloadAt),
  }
}

/**
 * The whole record; otherwise as `decodeRecordHead`.
 *
 * @throws StoreError `STORE_RECORD_INVALID`
 */
export function decodeMessageRecord(record: Uint8Array, app: string): RecordFields {
  const { priority, apnsId, pushType, topic, token } = decodeRecordHead(record, app)
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength)
  const receivedAtMs = view.getUint32(21) * 2 ** 32 + view.getUint32(25)
  return {
    ...{ priority, apnsId, pushType, topic, token, receivedAtMs },
    payload: record.subarray(payloadPlaceOf(record)),
  }
}

function payloadPlaceOf(record: Uint8Array): number {
  if (record.length < fixedBytes || record[0] !== version) {
    throw new StoreError('STORE_RECORD_INVALID', 'A stored message is damaged, or of a newer version.')
  }
  const payloadAt = fixedBytes + record[2]! + record[3]! + record[4]!
  if (payloadAt > record.length) {
    throw new StoreError('STORE_RECORD_INVALID', 'A stored message is damaged: it ends before its payload.')
  }
  return payloadAt
}

const usualPushType = 'alert' satisfies PushType

/** A text of a record; without making it anew where it is the usual one. */
function textOf(record: Uint8Array, from: number, to: number, usual: string): string {
  let same = usual.length === to - from ? 0 : -1
  while (same >= 0 && same < usual.length && record[from + same] === usual.charCodeAt(same)) same++
  if (same === usual.length) return usual
  return Buffer.from(record.buffer, record.byteOffset, record.byteLength).toString('latin1', from, to)
}
