/*
 * What the store keeps of a message beside its columns: one blob, so that a write binds few values.
 *
 *   version u8 = 1 | priority u8 | push type length u8 | topic length u8 | token length u8 | apns-id 16 bytes
 *   | received at u64 (ms) | push type | topic | token | payload (the rest)
 *
 * Texts are Latin-1, numbers big-endian.
 */
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
  scratch.writeUIntBE(Math.floor(message.receivedAtMs / 2 ** 32), 21, 4)
  scratch.writeUIntBE(message.receivedAtMs % 2 ** 32, 25, 4)
  let offset = fixedBytes
  offset += scratch.write(pushType, offset, 'latin1')
  offset += scratch.write(topic, offset, 'latin1')
  scratch.set(token, offset)
  scratch.set(payload, offset + token.length)
  return scratch.subarray(0, length)
}

/**
 * Byte fields of the result are views of `record`.
 *
 * @throws StoreError `STORE_RECORD_INVALID` for bytes that no version of this program wrote
 */
export function decodeMessageRecord(record: Uint8Array): RecordFields {
  const bytes = Buffer.from(record.buffer, record.byteOffset, record.byteLength)
  if (bytes.length < fixedBytes || bytes[0] !== version) {
    throw new StoreError('STORE_RECORD_INVALID', 'A stored message is damaged, or of a newer version.')
  }
  const topicAt = fixedBytes + bytes[2]!
  const tokenAt = topicAt + bytes[3]!
  const payloadAt = tokenAt + bytes[4]!
  if (payloadAt > bytes.length) {
    throw new StoreError('STORE_RECORD_INVALID', 'A stored message is damaged: it ends before its payload.')
  }
  return {
    priority: bytes[1]!,
    apnsId: record.subarray(5, 5 + apnsIdBytes),
    receivedAtMs: bytes.readUInt32BE(21) * 2 ** 32 + bytes.readUInt32BE(25),
    pushType: bytes.toString('latin1', fixedBytes, topicAt),
    topic: bytes.toString('latin1', topicAt, tokenAt),
    token: record.subarray(tokenAt, payloadAt),
    payload: record.subarray(payloadAt),
  }
}
