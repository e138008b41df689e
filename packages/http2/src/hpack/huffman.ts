/**
 * The Huffman code of HPACK (RFC 7541 §5.2 and appendix B). The code is canonical: within one length codes
 * count up in the order of the symbols, and longer codes follow shorter ones. So the lengths say it all.
 *
 * Decoding walks a table of 256 states (the inner nodes of the code tree) byte by byte; no code is shorter than
 * five bits, so each step gives two symbols at most:
 *
 *     entry: | fail:1 | symbols:2 | second:8 | first:8 | next state:8 |
 */
const EOS = 256

/** Code length in bits by symbol, 0 … 255 and EOS. */
const LENGTHS: readonly number[] = [
  ...[13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28],
  ...[28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28],
  ...[6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6],
  ...[5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10],
  ...[13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7],
  ...[7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6],
  ...[15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5],
  ...[6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28],
  ...[20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23],
  ...[24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24],
  ...[22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23],
  ...[21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23],
  ...[26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25],
  ...[19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27],
  ...[20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23],
  ...[26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26],
  30,
]

const CODES = new Uint32Array(257)
{
  const bySize = LENGTHS.map((length, symbol) => ({ length, symbol })).sort(
    (a, b) => a.length - b.length || a.symbol - b.symbol,
  )
  let code = 0
  let length = bySize[0]!.length
  for (const entry of bySize) {
    code <<= entry.length - length
    length = entry.length
    CODES[entry.symbol] = code
    code += 1
  }
}

const ONE = 1 << 24
const FAIL = 1 << 26
const steps = new Int32Array(256 * 256)
/** States in which a string may end: less than eight bits of padding, all ones (RFC 7541 §5.2). */
const mayEnd = new Uint8Array(256)

const buildTree = (): Int32Array => {
  // children[2 * node + bit]: an inner node, ~symbol for a leaf, or 0 where nothing is yet.
  const children = new Int32Array(512)
  let nodes = 1
  for (let symbol = 0; symbol <= EOS; symbol += 1) {
    const length = LENGTHS[symbol]!
    let node = 0
    for (let bit = length - 1; bit > 0; bit -= 1) {
      const slot = 2 * node + ((CODES[symbol]! >>> bit) & 1)
      if (children[slot] === 0) {
        children[slot] = nodes
        nodes += 1
      }
      node = children[slot]!
    }
    children[2 * node + (CODES[symbol]! & 1)] = ~symbol
  }
  return children
}

/** The same table for half bytes, with one symbol at most: | fail:1 | symbols:1 | - | symbol:8 | next state:8 | */
const halfSteps = (children: Int32Array): Int32Array => {
  const halves = new Int32Array(256 * 16)
  for (let at = 0; at < halves.length; at += 1) {
    let node = at >>> 4
    let symbol = 0
    for (let bit = 3; bit >= 0; bit -= 1) {
      node = children[2 * node + ((at >>> bit) & 1)]!
      if (node >= 0) continue
      symbol = ~node === EOS ? FAIL : ONE | (~node << 8)
      node = 0
    }
    halves[at] = symbol | node
  }
  return halves
}

const buildSteps = (): void => {
  const children = buildTree()
  // From half bytes, since bit by bit it takes long enough to be noticed when a program starts.
  const halves = halfSteps(children)
  for (let at = 0; at < steps.length; at += 1) {
    const high = halves[at >>> 4]!
    const low = halves[((high & 0xff) << 4) | (at & 15)]!
    const symbols = high >= ONE ? (high & ~0xff) + ((low & 0xff00) << 8) + (low & ~0xffff) : low & ~0xff
    steps[at] = symbols | (low & 0xff)
  }
  for (let node = 0, depth = 0; depth < 8; depth += 1) {
    mayEnd[node] = 1
    node = children[2 * node + 1]!
  }
}
buildSteps()

/**
 * Decodes `source[start..end)` into `target` from 0 and returns the count of bytes, or -1 where the code is
 * wrong (EOS inside, bad padding). `target` must hold `huffmanRoom` bytes.
 */
export const huffmanDecode = (source: Uint8Array, start: number, end: number, target: Uint8Array): number => {
  let entry = 0
  let failed = 0
  let length = 0
  for (let at = start; at < end; at += 1) {
    entry = steps[((entry & 0xff) << 8) | source[at]!]!
    failed |= entry
    // Both places are written whether there is a symbol or not: cheaper than a branch that nobody can predict.
    target[length] = entry >>> 8
    target[length + 1] = entry >>> 16
    length += (entry >>> 24) & 3
  }
  return failed < FAIL && mayEnd[entry & 0xff] === 1 ? length : -1
}

/** What `huffmanDecode` needs for so many bytes: all symbols of five bits, and two that are overwritten. */
export const huffmanRoom = (bytes: number): number => Math.ceil((bytes * 8) / 5) + 2

/** Bytes that `huffmanEncode` gives for `text` (latin1). */
export const huffmanLength = (text: string): number => {
  let bits = 0
  for (let at = 0; at < text.length; at += 1) bits += LENGTHS[text.charCodeAt(at) & 0xff]!
  return (bits + 7) >>> 3
}

/** Writes the code of `text` (latin1) at `at` and returns the position after it. */
export const huffmanEncode = (text: string, target: Uint8Array, at: number): number => {
  // `bits` holds fewer than 8 pending bits between symbols; codes have 30 bits at most, so split the long ones.
  let pending = 0
  let count = 0
  for (let index = 0; index < text.length; index += 1) {
    const symbol = text.charCodeAt(index) & 0xff
    let length = LENGTHS[symbol]!
    const code = CODES[symbol]!
    while (length > 0) {
      const take = Math.min(length, 8)
      length -= take
      pending = (pending << take) | ((code >>> length) & ((1 << take) - 1))
      count += take
      if (count >= 8) {
        count -= 8
        target[at++] = pending >>> count
        pending &= (1 << count) - 1
      }
    }
  }
  if (count > 0) target[at++] = (pending << (8 - count)) | (0xff >>> count)
  return at
}
