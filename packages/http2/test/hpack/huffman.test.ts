import fc from 'fast-check'
import { expect, test } from 'vitest'
import { huffmanDecode, huffmanEncode, huffmanLength, huffmanRoom } from '../../src/hpack/huffman.ts'

const decode = (bytes: Buffer): string | undefined => {
  const target = Buffer.alloc(bytes.length * 2 + 8)
  const length = huffmanDecode(bytes, 0, bytes.length, target)
  return length < 0 ? undefined : target.toString('latin1', 0, length)
}

test('golden codes of RFC 7541 appendix C', () => {
  for (const [text, hex] of [
    ['www.example.com', 'f1e3c2e5f23a6ba0ab90f4ff'],
    ['no-cache', 'a8eb10649cbf'],
    ['custom-value', '25a849e95bb8e8b4bf'],
    ['Mon, 21 Oct 2013 20:13:21 GMT', 'd07abe941054d444a8200595040b8166e082a62d1bff'],
    ['https://www.example.com', '9d29ad171863c78f0b97c8e9ae82ae43d3'],
  ] as const) {
    const bytes = Buffer.alloc(64)
    const end = huffmanEncode(text, bytes, 0)
    expect(bytes.toString('hex', 0, end)).toBe(hex)
    expect(huffmanLength(text)).toBe(end)
    expect(decode(bytes.subarray(0, end))).toBe(text)
  }
})

test('round trip of any latin1 text, every byte value included', () => {
  const every = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join('')
  const check = (text: string): void => {
    const bytes = Buffer.alloc(text.length * 4 + 8)
    const end = huffmanEncode(text, bytes, 0)
    expect(end).toBe(huffmanLength(text))
    expect(decode(bytes.subarray(0, end))).toBe(text)
  }
  check(every)
  const byte = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code))
  fc.assert(fc.property(fc.string({ unit: byte, maxLength: 200 }), check))
})

test.each([
  ['padding of eight bits', 'ffff'],
  ['padding of a whole byte after a symbol', '1fff'],
  ['padding with zeros', '18'],
  ['EOS inside', '3fffffff'],
  ['EOS alone', 'fffffffc'],
])('refuses %s (RFC 7541 §5.2)', (_name, hex) => {
  expect(decode(Buffer.from(hex, 'hex'))).toBeUndefined()
})

test('any bytes decode or fail, within the bound of 8/5', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const target = Buffer.alloc(huffmanRoom(bytes.length))
      const length = huffmanDecode(bytes, 0, bytes.length, target)
      expect(length).toBeLessThanOrEqual((bytes.length * 8) / 5)
    }),
  )
})
