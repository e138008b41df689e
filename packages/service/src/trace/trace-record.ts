/*
 * One event of one notification, as the journal keeps it: 80 bytes, numbers big-endian.
 *
 *    0  time u48 (ms since 1970)              6  stage u8       7  detail u8
 *    8  device u32 (`lost`: how many records) 12  subject u16   14  priority u8   15  flags u8
 *   16  apns-id, 16 bytes
 *   32  other id, 16 bytes: `received`: the unique id; `replaced`: the apns-id that took its place; else zeros
 *   48  token, 32 bytes (a longer one is cut)
 *
 * Flags: 1 from storage. 2 a broadcast: one record tells it of all its devices. Then the apns-id is its request id,
 * the device is how many devices there were, and the token is the 16 bytes of the channel id and zeros.
 *
 * `detail` is the reason of `stored`, `discarded` and `lost` by its number, the status of `acknowledged`, and of
 * `rejected` the length of the token, which may be any; 0 where it was not kept.
 * `subject` counts the subjects of the block that the record is in.
 */

export const traceRecordBytes = 80

/** Where the parts of a record are that a search looks at. */
export const recordAt = { stage: 6, subject: 12, flags: 15, apnsId: 16, otherId: 32, token: 48 } as const

export const recordFlags = { fromStorage: 1, broadcast: 2 } as const

export const idBytes = 16
export const tokenBytesMax = 32

/** What a record says, its texts apart. Byte fields of a record that was read are views. */
export interface TraceRecord {
  readonly atMs: number
  /** See `stageNumbers`. */
  readonly stage: number
  readonly detail: number
  /** Row number of the device, 0 where there is none; of `lost` and broadcasts, how many. */
  readonly device: number
  readonly subject: number
  readonly priority: number
  /** See `recordFlags`. */
  readonly flags: number
  readonly apnsId: Uint8Array
  readonly otherId: Uint8Array
  readonly token: Uint8Array
}

/** The bytes of a block that is being filled. */
export interface RecordSpace {
  readonly bytes: Uint8Array
  readonly view: DataView
}

/**
 * Writes a record at `offset`. Arguments instead of a `TraceRecord`, since this runs several times for every
 * notification and an object for each would cost more than the writing.
 */
export function encodeTraceRecord(
  { bytes, view }: RecordSpace,
  offset: number,
  atMs: number,
  stage: number,
  detail: number,
  device: number,
  subject: number,
  priority: number,
  flags: number,
  apnsId: Uint8Array,
  otherId: Uint8Array,
  token: Uint8Array,
): void {
  view.setUint16(offset, Math.floor(atMs / 0x1_0000_0000))
  view.setUint32(offset + 2, atMs % 0x1_0000_0000)
  bytes[offset + 6] = stage
  bytes[offset + 7] = detail
  view.setUint32(offset + 8, device)
  view.setUint16(offset + 12, subject)
  bytes[offset + 14] = priority
  bytes[offset + recordAt.flags] = flags
  // Buffers are used again: what is missing is zeros, not what was there before.
  if (apnsId.length === idBytes) bytes.set(apnsId, offset + recordAt.apnsId)
  else putSome(bytes, offset + recordAt.apnsId, apnsId, idBytes)
  if (otherId.length === 0) {
    view.setFloat64(offset + recordAt.otherId, 0)
    view.setFloat64(offset + recordAt.otherId + 8, 0)
  } else putSome(bytes, offset + recordAt.otherId, otherId, idBytes)
  if (token.length === tokenBytesMax) bytes.set(token, offset + recordAt.token)
  else putSome(bytes, offset + recordAt.token, token, tokenBytesMax)
}

/** The record at `offset`; the caller has checked that it is there. */
export function decodeTraceRecord(bytes: Uint8Array, offset: number): TraceRecord {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, traceRecordBytes)
  return {
    atMs: view.getUint16(0) * 0x1_0000_0000 + view.getUint32(2),
    stage: view.getUint8(6),
    detail: view.getUint8(7),
    device: view.getUint32(8),
    subject: view.getUint16(12),
    priority: view.getUint8(14),
    flags: view.getUint8(recordAt.flags),
    apnsId: bytes.subarray(offset + 16, offset + 32),
    otherId: bytes.subarray(offset + 32, offset + 48),
    token: bytes.subarray(offset + 48, offset + 80),
  }
}

/** Cuts what is too long and fills up what is too short. */
function putSome(bytes: Uint8Array, offset: number, source: Uint8Array, length: number): void {
  if (source.length === length) return bytes.set(source, offset)
  bytes.fill(0, offset, offset + length)
  // A view of a small array makes V8 move it out of its heap: the most of what a record costs.
  if (source.length > 0) bytes.set(source.subarray(0, length), offset)
}
