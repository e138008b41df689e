/**
 * SHA-1 (FIPS 180-4 §6.1), synchronous. Topic hashes are names, not secrets, and both ends need them where
 * Web Crypto would force a promise into a state machine. Never use it to protect anything.
 *
 * @returns 20 bytes
 */
export function sha1(message: Uint8Array): Uint8Array {
  const padded = new Uint8Array(((message.length + 72) >> 6) << 6)
  padded.set(message)
  padded[message.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setUint32(padded.length - 8, Math.floor(message.length / 0x2000_0000))
  view.setUint32(padded.length - 4, (message.length << 3) >>> 0)
  const state = new Uint32Array([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0])
  const words = new Uint32Array(80)
  for (let offset = 0; offset < padded.length; offset += 64) {
    for (let round = 0; round < 16; round++) words[round] = view.getUint32(offset + round * 4)
    for (let round = 16; round < 80; round++) {
      const mixed = words[round - 3]! ^ words[round - 8]! ^ words[round - 14]! ^ words[round - 16]!
      words[round] = (mixed << 1) | (mixed >>> 31)
    }
    compress(state, words)
  }
  const digest = new Uint8Array(20)
  const out = new DataView(digest.buffer)
  for (let index = 0; index < 5; index++) out.setUint32(index * 4, state[index]!)
  return digest
}

function compress(state: Uint32Array, words: Uint32Array): void {
  let [a, b, c, d, e] = state as unknown as [number, number, number, number, number]
  for (let round = 0; round < 80; round++) {
    const [mix, constant] =
      round < 20
        ? [(b & c) | (~b & d), 0x5a827999]
        : round < 40
          ? [b ^ c ^ d, 0x6ed9eba1]
          : round < 60
            ? [(b & c) | (b & d) | (c & d), 0x8f1bbcdc]
            : [b ^ c ^ d, 0xca62c1d6]
    const next = (((a << 5) | (a >>> 27)) + mix + e + constant + words[round]!) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  state[0]! += a
  state[1]! += b
  state[2]! += c
  state[3]! += d
  state[4]! += e
}
