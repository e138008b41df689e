/*
 * The two frames of every delivery, written without the table: one allocation of the exact size, no loop over
 * fields. A test holds them equal to `encodeByTable`.
 */
import { allocateFrame } from '../bytes/allocate.ts'
import { WireError } from '../wire-error.ts'
import { type CourierMessageType, courierMessages, type MessageOf } from './messages.ts'

const notification = courierMessages.notification.fields
const ack = courierMessages.ack.fields
const scratch = new Uint8Array(8)
const scratchView = new DataView(scratch.buffer)

/** Our frame for `notification`. @throws WireError as `encodeCourierMessage` */
export function encodeNotification(message: MessageOf<'notification'>): Uint8Array {
  const { token, topicHash, payload, expirySeconds, sentAtNs, legacyFlags, storageFlags, priority } = message
  const { baseToken, tracingId, correlationId, apnFlags, pushType, channel } = message
  let length = 5 + 9 + 7 + token.length + topicHash.length + payload.length
  if (expirySeconds !== undefined) length += 7
  if (sentAtNs !== undefined) length += 11
  if (legacyFlags !== undefined) length += 4
  if (storageFlags !== undefined) length += 4
  if (priority !== undefined) length += 4
  if (baseToken !== undefined) length += 3 + baseToken.length
  if (tracingId !== undefined) length += 3 + tracingId.length
  if (correlationId !== undefined) length += 3 + correlationId.length
  if (apnFlags !== undefined) length += 7
  if (pushType !== undefined) length += 5
  if (channel !== undefined) length += 3 + channel.length

  const frame = startFrame('notification', length)
  let offset = putBytes(frame, 5, notification.token.id, token)
  offset = putBytes(frame, offset, notification.topicHash.id, topicHash)
  offset = putBytes(frame, offset, notification.payload.id, payload)
  offset = putNumber(frame, offset, notification.id.id, 4, message.id)
  if (expirySeconds !== undefined) {
    offset = putNumber(frame, offset, notification.expirySeconds.id, 4, expirySeconds)
  }
  if (sentAtNs !== undefined) offset = putU64(frame, offset, notification.sentAtNs.id, sentAtNs)
  if (legacyFlags !== undefined) {
    offset = putNumber(frame, offset, notification.legacyFlags.id, 1, legacyFlags)
  }
  if (storageFlags !== undefined) {
    offset = putNumber(frame, offset, notification.storageFlags.id, 1, storageFlags)
  }
  if (priority !== undefined) offset = putNumber(frame, offset, notification.priority.id, 1, priority)
  if (baseToken !== undefined) offset = putBytes(frame, offset, notification.baseToken.id, baseToken)
  if (tracingId !== undefined) offset = putBytes(frame, offset, notification.tracingId.id, tracingId)
  if (correlationId !== undefined) {
    offset = putBytes(frame, offset, notification.correlationId.id, correlationId)
  }
  if (apnFlags !== undefined) offset = putNumber(frame, offset, notification.apnFlags.id, 4, apnFlags)
  if (pushType !== undefined) offset = putNumber(frame, offset, notification.pushType.id, 2, pushType)
  if (channel !== undefined) putBytes(frame, offset, notification.channel.id, channel)
  return frame
}

/** Our frame for `ack`. @throws WireError as `encodeCourierMessage` */
export function encodeAck(message: MessageOf<'ack'>): Uint8Array {
  const { status, token } = message
  const length = 12 + (status === undefined ? 0 : 4) + (token === undefined ? 0 : 3 + token.length)
  const frame = startFrame('ack', length)
  let offset = putNumber(frame, 5, ack.id.id, 4, message.id)
  if (status !== undefined) offset = putNumber(frame, offset, ack.status.id, 1, status)
  if (token !== undefined) putBytes(frame, offset, ack.token.id, token)
  return frame
}

function startFrame(type: CourierMessageType, length: number): Uint8Array {
  const frame = allocateFrame(length)
  frame[0] = courierMessages[type].command
  putU32(frame, 1, length - 5)
  return frame
}

function putBytes(frame: Uint8Array, offset: number, field: number, value: Uint8Array): number {
  const { length } = value
  if (length > 0xffff) throw new WireError('field-too-long', `A field of ${length} bytes exceeds 65535`)
  frame[offset] = field
  frame[offset + 1] = length >>> 8
  frame[offset + 2] = length
  frame.set(value, offset + 3)
  return offset + 3 + length
}

function putNumber(
  frame: Uint8Array,
  offset: number,
  field: number,
  width: 1 | 2 | 4,
  value: number,
): number {
  const max = width === 1 ? 0xff : width === 2 ? 0xffff : 0xffff_ffff
  if (!(Number.isInteger(value) && value >= 0 && value <= max)) {
    throw new WireError('value-out-of-range', `${value} is not an integer from 0 to ${max}`)
  }
  frame[offset] = field
  frame[offset + 2] = width
  if (width === 1) frame[offset + 3] = value
  else if (width === 2) {
    frame[offset + 3] = value >>> 8
    frame[offset + 4] = value
  } else putU32(frame, offset + 3, value)
  return offset + 3 + width
}

function putU64(frame: Uint8Array, offset: number, field: number, value: bigint): number {
  if (value < 0n || value > 0xffff_ffff_ffff_ffffn) {
    throw new WireError('value-out-of-range', `${value} does not fit an unsigned field of 64 bits`)
  }
  frame[offset] = field
  frame[offset + 2] = 8
  // Over a scratch view: shifting a bigint apart would allocate twice.
  scratchView.setBigUint64(0, value)
  for (let index = 0; index < 8; index++) frame[offset + 3 + index] = scratch[index]!
  return offset + 11
}

function putU32(frame: Uint8Array, offset: number, value: number): void {
  frame[offset] = value >>> 24
  frame[offset + 1] = value >>> 16
  frame[offset + 2] = value >>> 8
  frame[offset + 3] = value
}
