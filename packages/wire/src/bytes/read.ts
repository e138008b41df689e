/**
 * Big-endian reads at an offset. The caller has checked that the bytes are there; these run for every field
 * of every frame, so they make no DataView.
 */
export function readU16(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 8) | bytes[offset + 1]!
}

export function readU32(bytes: Uint8Array, offset: number): number {
  return (
    ((bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) | bytes[offset + 3]!) >>>
    0
  )
}

export function readU64(bytes: Uint8Array, offset: number): bigint {
  return (BigInt(readU32(bytes, offset)) << 32n) | BigInt(readU32(bytes, offset + 4))
}

/** Eight bytes as a JavaScript number, or `undefined` beyond 2^53 − 1. */
export function readU53(bytes: Uint8Array, offset: number): number | undefined {
  const value = readU32(bytes, offset) * 0x1_0000_0000 + readU32(bytes, offset + 4)
  return Number.isSafeInteger(value) ? value : undefined
}
