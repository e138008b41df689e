import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ConnectionError, Http2UsageError } from '../../src/errors.ts'
import { HpackDecoder } from '../../src/hpack/decoder.ts'
import { HpackEncoder } from '../../src/hpack/encoder.ts'
import { OutputBuffer } from '../../src/output-buffer.ts'
import type { HeaderList, IndexingPolicy } from '../../src/types.ts'

const hexBytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex')

const encode = (encoder: HpackEncoder, list: HeaderList): Buffer => {
  const out = new OutputBuffer()
  encoder.encode(list, out)
  return Buffer.from(out.bytes.subarray(0, out.length))
}

const decode = (decoder: HpackDecoder, bytes: Buffer): string[] => decoder.decode(bytes, 0, bytes.length)

const pair = (indexing?: Record<string, IndexingPolicy>) => {
  const encoder = new HpackEncoder(indexing)
  const decoder = new HpackDecoder(4096, 1_000_000)
  return { encoder, decoder, pass: (list: HeaderList) => decode(decoder, encode(encoder, list)) }
}

test.each([
  ['index 0', '80', 'RFC 7541 §6.1'],
  ['an index beyond both tables', 'be', 'RFC 7541 §2.3.3'],
  ['a name index beyond both tables', '7e 01 61', 'RFC 7541 §2.3.3'],
  ['a literal without indexing and a name beyond', '0f 2f 01 61', 'RFC 7541 §2.3.3'],
  ['an integer that runs over the end', '7f', 'RFC 7541 §5.1'],
  ['an integer above every limit', 'ff ff ff ff ff 0f', 'RFC 7541 §5.1'],
  ['an integer padded with zeros', 'ff 80 80 80 80 80 80 01', 'RFC 7541 §5.1'],
  ['a missing name', '40', 'RFC 7541 §6.2.1'],
  ['a missing value', '41', 'RFC 7541 §6.2.1'],
  ['a value that runs over the end', '41 05 61', 'RFC 7541 §5.2'],
  ['Huffman padding above 7 bits', '41 82 1f ff', 'RFC 7541 §5.2'],
  ['Huffman padding with zeros', '41 81 18', 'RFC 7541 §5.2'],
  ['EOS in a Huffman string', '41 84 ff ff ff ff', 'RFC 7541 §5.2'],
  ['a size update above the setting', '3f e2 1f', 'RFC 7541 §6.3'],
  ['a size update after a field', '82 20', 'RFC 7541 §4.2'],
])('COMPRESSION_ERROR for %s', (_name, hex) => {
  const decoder = new HpackDecoder(4096, 65_536)
  expect(() => decode(decoder, hexBytes(hex))).toThrow(
    expect.objectContaining({ name: 'ConnectionError', errorCode: 9 }),
  )
})

test('a smaller setting that was acknowledged must be followed by a size update (RFC 7541 §4.2)', () => {
  const decoder = new HpackDecoder(100, 65_536)
  expect(decode(decoder, hexBytes('3f e1 1f 82'))).toEqual([':method', 'GET'])
  decoder.settingsAcknowledged()
  expect(() => decode(decoder, hexBytes('82'))).toThrow(ConnectionError)
  const other = new HpackDecoder(100, 65_536)
  other.settingsAcknowledged()
  expect(decode(other, hexBytes('3f 45 82'))).toEqual([':method', 'GET'])
  expect(decode(other, hexBytes('82'))).toEqual([':method', 'GET'])
  expect(() => decode(other, hexBytes('3f 46'))).toThrow(ConnectionError)
})

test('a smaller setting counts for a block that is the same as the last one, too (RFC 7541 §4.2)', () => {
  const decoder = new HpackDecoder(100, 65_536)
  for (let at = 0; at < 3; at += 1) expect(decode(decoder, hexBytes('82'))).toEqual([':method', 'GET'])
  decoder.settingsAcknowledged()
  expect(() => decode(decoder, hexBytes('82'))).toThrow(ConnectionError)
})

test('several size updates at the beginning of a block are fine', () => {
  const decoder = new HpackDecoder(4096, 65_536)
  decode(decoder, hexBytes('40 01 61 01 62'))
  expect(decoder.tableBytes).toBe(34)
  expect(decode(decoder, hexBytes('20 3f e1 1f 82'))).toEqual([':method', 'GET'])
  expect(decoder.tableBytes).toBe(0)
})

test('an entry above the table size empties the table and is no error (RFC 7541 §4.4)', () => {
  const decoder = new HpackDecoder(4096, 65_536)
  decode(decoder, hexBytes('3f 21 40 01 61 01 62'))
  expect(decoder.tableBytes).toBe(34)
  const large = Buffer.concat([hexBytes('40 01 61 40'), Buffer.alloc(64, 120)])
  expect(decode(decoder, large)).toEqual(['a', 'x'.repeat(64)])
  expect(decoder.tableBytes).toBe(0)
})

test('a repeated value is the same string, a repeated block the same list', () => {
  const decoder = new HpackDecoder(4096, 65_536)
  const field = (value: string) =>
    Buffer.concat([hexBytes('1f 08'), Buffer.from([value.length]), Buffer.from(value)])
  const withPath = (path: string, value: string) =>
    decode(
      decoder,
      Buffer.concat([hexBytes('04'), Buffer.from([path.length]), Buffer.from(path), field(value)]),
    )
  const first = withPath('/a', 'bearer abc')
  const second = withPath('/b', 'bearer abc')
  expect(second).toEqual([':path', '/b', 'authorization', 'bearer abc'])
  expect(Object.is(first[3], second[3])).toBe(true)
  // The block of '/b' was completed from the one before it; decoded whole, it is known from then on.
  const third = withPath('/b', 'bearer abc')
  expect(third).toEqual(second)
  expect(withPath('/b', 'bearer abc')).toBe(third)
  expect(withPath('/b', 'bearer abd')).toEqual([':path', '/b', 'authorization', 'bearer abd'])
  // A change of the dynamic table shifts indexes: the remembered block must not be taken.
  decode(decoder, hexBytes('40 01 61 01 62'))
  const indexed = decode(decoder, hexBytes('be'))
  expect(indexed).toEqual(['a', 'b'])
  expect(decode(decoder, hexBytes('be'))).toBe(indexed)
  decode(decoder, hexBytes('40 01 63 01 64'))
  expect(decode(decoder, hexBytes('be'))).toEqual(['c', 'd'])
})

test('what is remembered is copied: a receive buffer is used again', () => {
  const decoder = new HpackDecoder(4096, 65_536)
  const buffer = hexBytes('00 05 61 31 62 32 63 05 76 31 76 32 76')
  expect(decode(decoder, buffer)).toEqual(['a1b2c', 'v1v2v'])
  buffer.write('a9b2c', 2)
  buffer.write('v9v2v', 8)
  expect(decode(decoder, buffer)).toEqual(['a9b2c', 'v9v2v'])
})

test('the same bytes mean another text with and without Huffman code', () => {
  const decoder = new HpackDecoder(4096, 65_536)
  const plain = decode(decoder, Buffer.concat([hexBytes('00 01 61 06'), hexBytes('a8eb10649cbf')]))
  const coded = decode(decoder, Buffer.concat([hexBytes('00 01 61 86'), hexBytes('a8eb10649cbf')]))
  expect(plain[1]).toBe(Buffer.from('a8eb10649cbf', 'hex').toString('latin1'))
  expect(coded[1]).toBe('no-cache')
})

test('a list above the limit is cut, the state of the table is kept', () => {
  const decoder = new HpackDecoder(4096, 200)
  decode(decoder, Buffer.concat([hexBytes('40 01 61 40'), Buffer.alloc(64, 120)]))
  expect(decoder.tooLarge).toBe(false)
  const bomb = Buffer.concat([Buffer.alloc(10_000, 0xbe), hexBytes('40 01 62 01 63')])
  const list = decode(decoder, bomb)
  expect(decoder.tooLarge).toBe(true)
  expect(list.length).toBeLessThanOrEqual(4)
  expect(decode(decoder, hexBytes('be'))).toEqual(['b', 'c'])
})

test('a list repeats as indexes: one byte per field', () => {
  const { encoder, decoder } = pair()
  const list = [
    ':method',
    'POST',
    ':scheme',
    'https',
    ':authority',
    'a.example',
    'apns-topic',
    'com.example.app',
  ]
  decode(decoder, encode(encoder, list))
  const again = encode(encoder, list)
  expect(again.length).toBe(4)
  expect(decode(decoder, again)).toEqual(list)
})

test('policies: literal values never enter the table, but their name does once; never keeps its bit', () => {
  const { encoder, decoder, pass } = pair({ 'x-id': 'literal', 'x-secret': 'never' })
  expect(pass(['x-id', 'one-value'])).toEqual(['x-id', 'one-value'])
  const second = encode(encoder, ['x-id', 'two-value'])
  expect(second.length).toBe(2 + 1 + 'two-value'.length)
  expect(decode(decoder, second)).toEqual(['x-id', 'two-value'])
  const before = decoder.tableBytes
  const secret = encode(encoder, ['x-secret', 'hidden'])
  expect(secret[0]! & 0xf0).toBe(0x10)
  expect(decode(decoder, secret)).toEqual(['x-secret', 'hidden'])
  expect(decoder.tableBytes).toBe(before)
})

test('values that never repeat do not push out those that do', () => {
  const { encoder, decoder, pass } = pair()
  pass(['authorization', 'bearer of something long enough to matter'])
  for (let count = 0; count < 2000; count += 1) {
    pass(['authorization', 'bearer of something long enough to matter', 'x-varies', `value number ${count}`])
  }
  const block = encode(encoder, ['authorization', 'bearer of something long enough to matter'])
  expect(block.length).toBeLessThanOrEqual(2)
  expect(decode(decoder, block)[1]).toBe('bearer of something long enough to matter')
})

test('the peer changes the table size: the smallest and the last size are signalled (RFC 7541 §4.2)', () => {
  const { encoder, decoder, pass } = pair()
  pass(['a', 'b'])
  encoder.setTableSizeMax(0)
  encoder.setTableSizeMax(4096)
  const block = encode(encoder, ['a', 'b'])
  expect(block.subarray(0, 4).toString('hex')).toBe('203fe11f')
  expect(decode(decoder, block)).toEqual(['a', 'b'])
  encoder.setTableSizeMax(64)
  for (let count = 0; count < 50; count += 1) expect(pass([`n${count}`, 'v'])).toEqual([`n${count}`, 'v'])
  expect(decoder.tableBytes).toBeLessThanOrEqual(64)
  encoder.setTableSizeMax(0)
  expect(pass(['a', 'b', 'a', 'b'])).toEqual(['a', 'b', 'a', 'b'])
  expect(decoder.tableBytes).toBe(0)
})

test.each([
  ['an upper-case name', ['Content-Type', 'x']],
  ['an empty name', ['', 'x']],
  ['a name with a space', ['a b', 'x']],
  ['CR LF in a value', ['a', 'x\r\nb: y']],
  ['NUL in a value', ['a', 'x\0']],
  ['a character above one byte', ['a', 'Ā']],
  ['a long value with LF', ['a', `${'x'.repeat(200)}\n`]],
])('refuses to send %s, and stays usable', (_name, bad) => {
  const { encoder, decoder, pass } = pair()
  pass(['known', 'value'])
  const out = new OutputBuffer()
  expect(() => encoder.encode(['fresh', 'entry', ...bad], out)).toThrow(Http2UsageError)
  expect(out.length).toBe(0)
  for (let count = 0; count < 3; count += 1) {
    expect(pass(['known', 'value', 'fresh', 'entry'])).toEqual(['known', 'value', 'fresh', 'entry'])
  }
  expect(decoder.tooLarge).toBe(false)
})

const names = fc.constantFrom(
  'a',
  ':path',
  'x-one',
  'x-two',
  'x-id',
  'authorization',
  'content-type',
  'x-secret',
)
const values = fc.oneof(
  fc.constantFrom('', '/', 'GET', 'one', 'two', 'three', 'x'.repeat(300), 'y'.repeat(3000)),
  fc.string({
    unit: fc
      .integer({ min: 0x20, max: 0xff })
      .filter((c) => c !== 0x7f)
      .map((c) => String.fromCharCode(c)),
  }),
)
const lists = fc.array(fc.array(fc.tuple(names, values), { maxLength: 12 }), { maxLength: 40 })

test('round trip of any sequence of lists, with table sizes that change', () => {
  const sizes = fc.array(fc.constantFrom(-1, 0, 64, 200, 4096, 65_536), { maxLength: 40 })
  fc.assert(
    fc.property(lists, sizes, (sequence, changes) => {
      const { encoder, pass } = pair({ 'x-id': 'literal', 'x-secret': 'never' })
      sequence.forEach((fields, at) => {
        const size = changes[at] ?? -1
        if (size >= 0) encoder.setTableSizeMax(size)
        expect(pass(fields.flat())).toEqual(fields.flat())
      })
    }),
  )
})

test('garbage decodes or gives COMPRESSION_ERROR, and the table stays bounded', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 20 }), (blocks) => {
      const decoder = new HpackDecoder(4096, 8000)
      try {
        for (const bytes of blocks) decode(decoder, Buffer.from(bytes))
      } catch (error) {
        expect(error).toMatchObject({ name: 'ConnectionError', errorCode: 9 })
      }
      expect(decoder.tableBytes).toBeLessThanOrEqual(4096)
    }),
    { numRuns: 500 },
  )
})

test('a literal value of any length and any character that a header can carry arrives as it was', () => {
  const { pass } = pair({ x: 'literal' })
  const all = String.fromCharCode(9, ...Array.from({ length: 0xe0 }, (_, n) => n + 0x20)).replace('\x7f', '')
  for (let length = 0; length < 700; length += 1) {
    for (const unit of ['a', '\xff', 'a\xff', all]) {
      const value = unit.repeat(Math.ceil(length / unit.length)).slice(0, length)
      expect(pass(['x', value])).toEqual(['x', value])
    }
  }
})

test('a literal value with one character that no header can carry is refused, wherever it stands', () => {
  const { encoder } = pair({ x: 'literal' })
  for (const bad of ['\0', '\n', '\x1f', '\x7f', '\u0100', '\ud83d\ude00']) {
    for (const value of [bad, `${bad}${'a'.repeat(80)}`, `${'a'.repeat(80)}${bad}`, `\xff${bad}`])
      expect(() => encode(encoder, ['x', value])).toThrow(Http2UsageError)
  }
})

/** A field as a literal without indexing, whatever it says: what no encoder of ours would send is decoded, too. */
const literal = ([name, value]: readonly [string, string]): Buffer => {
  const text = (each: string): Buffer => Buffer.concat([Buffer.of(each.length), Buffer.from(each, 'latin1')])
  return Buffer.concat([Buffer.of(0), text(name), text(value)])
}

const verdict = (decoder: HpackDecoder, bytes: Buffer): object => {
  const list = decode(decoder, bytes)
  const { seen, contentLength, status, listBytes, malformed, tooLarge } = decoder
  return { list: [...list], seen, contentLength, status, listBytes, malformed, tooLarge }
}

test('a decoder that knows the blocks before says the same of a block as one that knows none', () => {
  const path = fc.constantFrom('/1', '/2', '/33', 'no-slash')
  const id = fc.constantFrom('a', 'b', 'cc', 'bad\n')
  const length = fc.constantFrom('1', '2', 'x')
  const tails = fc.constantFrom<[string, string][]>(
    [],
    [['x-one', 'one']],
    [
      [':method', 'POST'],
      ['x-one', 'one'],
    ],
    [
      ['x-one', 'one'],
      [':method', 'POST'],
    ],
    [['content-length', '1']],
    [[':status', '200']],
    [['x-long', 'x'.repeat(100)]],
  )
  const fields = fc.oneof(
    path.map((value): [string, string] => [':path', value]),
    id.map((value): [string, string] => ['x-id', value]),
    length.map((value): [string, string] => ['content-length', value]),
    fc.constantFrom<[string, string]>([':path', '/1'], [':scheme', 'https'], ['x-more', '']),
  )
  const block = fc.tuple(fc.array(fields, { maxLength: 3 }), tails).map(([head, tail]) => [...head, ...tail])
  fc.assert(
    fc.property(fc.array(block, { maxLength: 30 }), fc.constantFrom(150, 8000), (sequence, listBytesMax) => {
      const decoder = new HpackDecoder(4096, listBytesMax)
      for (const list of sequence) {
        const bytes = Buffer.concat(list.map(literal))
        expect(verdict(decoder, bytes)).toEqual(verdict(new HpackDecoder(4096, listBytesMax), bytes))
      }
    }),
    { numRuns: 500 },
  )
})

test('the end of a block is not taken over from one that was decoded with another table', () => {
  const decoder = new HpackDecoder(4096, 8000)
  decode(decoder, hexBytes('40 01 61 01 62'))
  const block = (id: string) => hexBytes(`00 01 69 01 ${id} be`)
  expect(decode(decoder, block('31'))).toEqual(['i', '1', 'a', 'b'])
  expect(decode(decoder, block('32'))).toEqual(['i', '2', 'a', 'b'])
  decode(decoder, hexBytes('40 01 63 01 64'))
  expect(decode(decoder, block('33'))).toEqual(['i', '3', 'c', 'd'])
})
