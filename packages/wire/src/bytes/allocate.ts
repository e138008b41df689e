/** Frames are cut from slabs of this size: a frame that is kept for long keeps at most so much memory alive. */
const slabBytes = 16 * 1024

/** Longer frames have memory of their own. */
const sharedBytesMax = 2048

let slab = new Uint8Array(slabBytes)
let used = 0

/**
 * Zeroed memory for one frame. An ArrayBuffer of its own for each frame would cost several times what writing
 * the frame costs. No memory is ever given out twice, but frames share their `buffer`: pass the view on, never
 * its `buffer`.
 */
export function allocateFrame(length: number): Uint8Array {
  if (length > sharedBytesMax) return new Uint8Array(length)
  if (used + length > slabBytes) {
    slab = new Uint8Array(slabBytes)
    used = 0
  }
  const frame = slab.subarray(used, used + length)
  used += length
  return frame
}
