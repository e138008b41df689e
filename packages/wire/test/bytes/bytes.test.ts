import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  allocateFrame,
  ByteWriter,
  base64Bytes,
  base64Text,
  base64UrlText,
  bytesEqual,
  ChunkBuffer,
  concatBytes,
  hexBytes,
  hexText,
  readU16,
  readU32,
  readU53,
  readU64,
  sha1,
  utf8Bytes,
  utf8Text,
} from '../../src/bytes/index.ts'
import { WireError } from '../../src/wire-error.ts'

describe('text', () => {
  test('hexadecimal and base64 agree with Node for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const buffer = Buffer.from(bytes)
        expect(hexText(bytes)).toBe(buffer.toString('hex'))
        expect(base64Text(bytes)).toBe(buffer.toString('base64'))
        expect(base64UrlText(bytes)).toBe(buffer.toString('base64url'))
        for (const text of [hexText(bytes), hexText(bytes).toUpperCase()])
          expect(hexBytes(text)).toEqual(bytes)
        expect(base64Bytes(base64Text(bytes))).toEqual(bytes)
        expect(base64Bytes(base64UrlText(bytes))).toEqual(bytes)
      }),
    )
  })

  test('base64 of bytes beyond one piece', () => {
    const bytes = Uint8Array.from({ length: 20_000 }, (_, index) => index * 7)
    expect(base64Text(bytes)).toBe(Buffer.from(bytes).toString('base64'))
  })

  test.each(['a', 'abc', '0g', 'g0', ' 00', '0x', '+1', '٠٠'])('%j is no hexadecimal', (text) => {
    expect(() => hexBytes(text)).toThrow(WireError)
  })

  test.each(['A', 'AAAAA', 'AA A', 'A=AA', 'AA===', 'é'])('%j is no base64', (text) => {
    expect(() => base64Bytes(text)).toThrow(WireError)
  })

  test('UTF-8 round trip', () => {
    expect(utf8Bytes('é💡')).toEqual(hexBytes('c3a9f09f92a1'))
    expect(utf8Text(hexBytes('c3a9f09f92a1'))).toBe('é💡')
    expect(utf8Text(hexBytes('ff41'))).toBe('�A')
  })
})

describe('ByteWriter', () => {
  test('every width, with lengths filled in afterwards, over a growing buffer', () => {
    const writer = new ByteWriter(1)
    const outer = writer.u8(7).begin32()
    const inner = writer.u16(0x0102).begin16()
    writer
      .u32(0xfffefdfc)
      .u64(0x0102030405060708n)
      .u53(0x1_ffff_ffff)
      .utf8('é')
      .raw(hexBytes('aabb'))
      .end16(inner)
    writer.end32(outer)
    expect(writer.length).toBe(33)
    expect(hexText(writer.finish())).toBe(
      '070000001c01020018fffefdfc010203040506070800000001ffffffffc3a9aabb',
    )
    expect(writer.length).toBe(0)
  })

  test.each([
    ['u8', 256],
    ['u8', -1],
    ['u8', 1.5],
    ['u16', 65_536],
    ['u32', 2 ** 32],
    ['u32', Number.NaN],
    ['u53', 2 ** 53],
  ] as const)('%s refuses %d and writes nothing', (width, value) => {
    const writer = new ByteWriter()
    expect(() => writer[width](value)).toThrow(expect.objectContaining({ code: 'value-out-of-range' }))
    expect(writer.length).toBe(0)
  })

  test.each([-1n, 2n ** 64n])('u64 refuses %d', (value) => {
    expect(() => new ByteWriter().u64(value)).toThrow(expect.objectContaining({ code: 'value-out-of-range' }))
  })

  test('a 16-bit length refuses 65,536 bytes and takes 65,535', () => {
    const writer = new ByteWriter()
    const mark = writer.begin16()
    writer.raw(new Uint8Array(65_535)).end16(mark).u8(0)
    expect(() => writer.end16(mark)).toThrow(expect.objectContaining({ code: 'field-too-long' }))
  })

  test('what it wrote is read again', () => {
    fc.assert(
      fc.property(
        fc.nat(0xffff),
        fc.nat(0xffff_ffff),
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        fc.maxSafeNat(),
        (short, long, big, safe) => {
          const bytes = new ByteWriter(2).u16(short).u32(long).u64(big).u53(safe).finish()
          expect([readU16(bytes, 0), readU32(bytes, 2), readU64(bytes, 6), readU53(bytes, 14)]).toEqual([
            short,
            long,
            big,
            safe,
          ])
        },
      ),
    )
  })

  test('a time beyond 2^53 is no number', () => {
    expect(readU53(hexBytes('0020000000000000'), 0)).toBeUndefined()
    expect(readU53(hexBytes('001fffffffffffff'), 0)).toBe(Number.MAX_SAFE_INTEGER)
  })
})

describe('ChunkBuffer', () => {
  test('a chunk is used as it is while nothing is pending', () => {
    const buffer = new ChunkBuffer()
    const chunk = hexBytes('010203')
    buffer.push(chunk)
    expect(buffer.bytes).toBe(chunk)
  })

  test('holds the bytes pushed and not consumed, and never changes bytes it has shown', () => {
    const step = fc.record({
      chunk: fc.uint8Array({ maxLength: 20 }),
      consume: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const buffer = new ChunkBuffer()
        let expected = new Uint8Array(0)
        const shown: [view: Uint8Array, copy: Uint8Array][] = []
        for (const { chunk, consume } of steps) {
          buffer.push(chunk)
          expected = concatBytes(expected, chunk) as Uint8Array<ArrayBuffer>
          const pending = buffer.bytes.subarray(buffer.start, buffer.end)
          expect(bytesEqual(pending, expected)).toBe(true)
          shown.push([pending, pending.slice()])
          const count = Math.floor(consume * buffer.pending)
          buffer.consumeTo(buffer.start + count)
          expected = expected.slice(count)
        }
        for (const [view, copy] of shown) expect(view).toEqual(copy)
      }),
    )
  })

  test('bytes that arrive one by one are copied a number of times that does not grow with their count', () => {
    const buffer = new ChunkBuffer()
    const backing = new Set<unknown>()
    for (let count = 0; count < 10_000; count++) {
      buffer.push(new Uint8Array(1))
      backing.add(buffer.bytes)
    }
    expect(backing.size).toBeLessThan(20)
  })
})

describe('sha1', () => {
  // FIPS 180-4 examples and the edges of the padding.
  test.each([
    ['', 'da39a3ee5e6b4b0d3255bfef95601890afd80709'],
    ['abc', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
    ['abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq', '84983e441c3bd26ebaae4aa1f95129e5e54670f1'],
  ])('of %j', (text, digest) => {
    expect(hexText(sha1(utf8Bytes(text)))).toBe(digest)
  })

  test('agrees with Node for every length around the block edges and for a long message', () => {
    for (const length of [...Array(200).keys(), 100_003]) {
      const message = Uint8Array.from({ length }, (_, index) => index * 31)
      expect(hexText(sha1(message)), `length ${length}`).toBe(
        createHash('sha1').update(message).digest('hex'),
      )
    }
  })
})

test('concatBytes and bytesEqual', () => {
  expect(concatBytes(hexBytes('01'), hexBytes(''), hexBytes('0203'))).toEqual(hexBytes('010203'))
  expect(bytesEqual(hexBytes('0102'), hexBytes('0103'))).toBe(false)
  expect(bytesEqual(hexBytes('0102'), hexBytes('01'))).toBe(false)
})

test('allocated frames are zeroed, of the asked length, and never overlap', () => {
  const frames = Array.from({ length: 400 }, (_, index) => allocateFrame((index * 37) % 3000))
  for (const [index, frame] of frames.entries()) {
    expect(frame).toHaveLength((index * 37) % 3000)
    expect(frame.every((byte) => byte === 0)).toBe(true)
    frame.fill(0xff)
  }
})
