import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concatBytes, hexBytes, hexText } from '../../../src/bytes/index.ts'
import {
  type CourierMessage,
  PackedDecoder,
  PackedEncoder,
  type PackedFrame,
  PackedMessageReader,
  type PackedValue,
  packedTableSizes,
} from '../../../src/courier/index.ts'
import { WireError } from '../../../src/wire-error.ts'
import { chunksOf, readAll, splitsOf, survives } from '../../splits.ts'
import { arbitraryMessageFrom } from '../arbitrary-message.ts'
import { type PackedVector, vectors, vectorValue } from '../vectors.ts'

function frameOf({ decoded }: PackedVector): PackedFrame {
  return {
    command: decoded.cmd,
    attributes: decoded.attrs.map(([id, value]) => ({ id, value: vectorValue(value) })),
  }
}

const plainFrame = (frame: PackedFrame): PackedFrame => ({
  command: frame.command,
  attributes: frame.attributes.map(({ id, value }) => ({ id, value })),
})

describe.each(['encoderA', 'encoderB'] as const)('vectors of %s', (list) => {
  test('decode in order, and encode to the same bytes', () => {
    const decoder = new PackedDecoder()
    const encoder = new PackedEncoder()
    for (const vector of vectors.packed[list]) {
      const bytes = hexBytes(vector.hex)
      const decoded = decoder.decode(bytes)!
      expect(decoded.next, vector.name).toBe(bytes.length)
      expect(plainFrame(decoded.value), vector.name).toEqual(frameOf(vector))
      // The decoder says which values went through the table, which is all that the encoder cannot know.
      expect(hexText(encoder.encode(decoded.value)), vector.name).toBe(vector.hex)
    }
  })
})

test('whole messages of one connection give the bytes of the vectors, cached values chosen by the table', () => {
  const encoder = new PackedEncoder()
  const reader = new PackedMessageReader({ from: 'device' })
  const courierReader = new PackedMessageReader({ from: 'courier' })
  for (const vector of vectors.packed.encoderA.slice(0, 7)) {
    const sender = vector.name === 'notif-json' ? courierReader : reader
    for (const each of [reader, courierReader]) each.push(hexBytes(vector.hex))
    const [fromDevice, fromCourier] = [reader.next(), courierReader.next()]
    const message = (sender === reader ? fromDevice : fromCourier) as CourierMessage
    expect(hexText(encoder.encodeMessage(message)), vector.name).toBe(vector.hex)
  }
})

test('the connected message of the vectors', () => {
  const encoder = new PackedEncoder()
  const reader = new PackedMessageReader({ from: 'courier' })
  const { hex } = vectors.packed.encoderB[0]!
  reader.push(hexBytes(hex))
  const message = reader.next() as CourierMessage
  expect(message).toEqual({
    type: 'connected',
    status: 0,
    token: hexBytes(vectors.constants.baseToken),
    messageBytesMax: 4096,
    capabilities: 0,
    largeMessageBytesMax: 15_360,
    serverTimeMs: 1_795_292_689_950,
    keepAliveSecondsMin: 600,
  })
  expect(hexText(encoder.encodeMessage(message))).toBe(hex)
})

const plain = fc.oneof(
  fc.uint8Array({ maxLength: 90 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.maxSafeInteger(),
  fc.nat(300),
  fc
    .bigInt({ min: -(2n ** 64n) + 1n, max: 2n ** 64n - 1n })
    .map((big) => (Number.isSafeInteger(Number(big)) ? Number(big) : big)),
  fc.boolean(),
)
const key = fc.oneof(
  fc.constantFrom('sT', 'tP', 'E', 'c', 'arr'),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
)
const { value: anyValue } = fc.letrec<{ value: PackedValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    plain,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map((entries) => new Map(entries)),
  ),
}))
const attribute = fc.record({ id: fc.nat(0xff), value: anyValue, cached: fc.boolean() })
const anyFrame = fc.record({ command: fc.nat(0xff), attributes: fc.array(attribute, { maxLength: 8 }) })

// -0 and 0 are one integer on the wire.
const withoutNegativeZero = (value: PackedValue): PackedValue => (value === 0 ? 0 : value)

describe('any frames', () => {
  test.each([0, 40, 200, 4096])('come back in order over tables of %d bytes', (tableBytes) => {
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 8 }), (frames) => {
        const encoder = new PackedEncoder(tableBytes)
        const decoder = new PackedDecoder(tableBytes)
        for (const frame of frames) {
          const bytes = encoder.encode(frame)
          for (let end = 0; end < bytes.length; end++) expect(decoder.decode(bytes, 0, end)).toBeUndefined()
          const decoded = decoder.decode(bytes)!
          expect(decoded.next).toBe(bytes.length)
          expect(plainFrame(decoded.value)).toEqual(
            plainFrame({
              ...frame,
              attributes: frame.attributes.map((each) => ({
                ...each,
                value: withoutNegativeZero(each.value),
              })),
            }),
          )
        }
      }),
    )
  })

  test.each(['device', 'courier'] as const)(
    'any split of messages from the %s gives the same messages',
    (from) => {
      const streams = fc
        .array(arbitraryMessageFrom(from), { minLength: 1, maxLength: 8 })
        .map((messages) => {
          const encoder = new PackedEncoder(200)
          return {
            messages,
            bytes: concatBytes(...messages.map((message) => encoder.encodeMessage(message))),
          }
        })
        .chain((stream) => splitsOf(stream.bytes.length).map((cuts) => ({ ...stream, cuts })))
      fc.assert(
        fc.property(streams, ({ messages, bytes, cuts }) => {
          const reader = new PackedMessageReader({ from, tableBytesMax: 200 })
          expect(readAll(reader, chunksOf(bytes, cuts))).toEqual(messages)
          expect(reader.pendingBytes).toBe(0)
        }),
      )
    },
  )

  test('garbage ends, and throws nothing but WireError', () => {
    const body = fc.array(fc.oneof(fc.nat(0xff), fc.constantFrom(0x41, 0x81, 0xc1, 0xd1, 0x53, 0x20, 0xa3)), {
      maxLength: 60,
    })
    const framed = body.map((bytes) => Uint8Array.of(0x0a, bytes.length, ...bytes))
    fc.assert(
      fc.property(fc.oneof(framed, fc.uint8Array({ maxLength: 60 })), (bytes) =>
        survives(() => new PackedDecoder().decode(bytes), WireError),
      ),
      { numRuns: 3000 },
    )
  })
})

describe('corrupt frames', () => {
  test.each([
    ['a value that the table does not have', '0a028100'],
    ['a key that the table does not have', '0a022000'],
    ['both value flags', '0a02c180'],
    ['data beyond the frame', '0a03010200'],
    ['an attribute without value', '0a0101'],
    ['a first byte of no value', '0a0201f0'],
    ['a string tag of no value', '0a020160'],
    ['a dictionary key that is a field id', '0a0401c10280'],
    ['a count larger than the frame', '0a0301de80'],
    ['a number without end', `0a0a013f${'ff'.repeat(8)}`],
    ['values nested too deeply', `0a1501${'d1'.repeat(19)}80`],
  ])('%s', (_, hex) => {
    expect(() => new PackedDecoder().decode(hexBytes(hex))).toThrow(
      expect.objectContaining({ code: 'packed-invalid' }),
    )
  })

  test.each([
    ['a length without end', `0aff${'ff'.repeat(8)}`, 'packed-invalid'],
    ['a length over the limit', '0affffffff7f', 'frame-too-long'],
  ])('%s', (_, hex, code) => {
    expect(() => new PackedDecoder().decode(hexBytes(hex))).toThrow(expect.objectContaining({ code }))
  })
})

describe('limits', () => {
  test('a refused frame leaves the encoder as it was', () => {
    const encoder = new PackedEncoder()
    const cached = { id: 1, value: hexBytes('aabb'), cached: true }
    const bad: PackedFrame = { command: 10, attributes: [cached, { id: 40, value: 0.5 }] }
    expect(() => encoder.encode(bad)).toThrow(expect.objectContaining({ code: 'value-out-of-range' }))
    const bytes = encoder.encode({ command: 10, attributes: [cached, { id: 40, value: 1 }] })
    expect(hexText(bytes)).toBe('0a074102aabb102881')
  })

  test.each<[string, PackedValue]>([
    ['an integer of more than 64 bits', 2n ** 64n],
    ['a dictionary with an empty key', new Map([['', 1]])],
    ['values nested too deeply', Array.from({ length: 18 }).reduce<PackedValue>((inner) => [inner], 1)],
  ])('%s cannot be written', (_, value) => {
    expect(() => new PackedEncoder().encode({ command: 10, attributes: [{ id: 1, value }] })).toThrow(
      WireError,
    )
  })

  test('a value larger than the table is sent, not cached', () => {
    const encoder = new PackedEncoder(40)
    const attributes = [{ id: 1, value: hexBytes('00112233445566778899'), cached: true }]
    const twice = [encoder.encode({ command: 9, attributes }), encoder.encode({ command: 9, attributes })]
    expect(twice.map(hexText)).toEqual(Array(2).fill('090c010a00112233445566778899'))
  })

  // A value costs its encoded bytes, 3 here, and 32.
  test.each([
    [34, '09040102aabb', '09040102aabb'],
    [35, '09044102aabb', '09028100'],
  ])('a table of %d bytes', (tableBytes, first, second) => {
    const encoder = new PackedEncoder(tableBytes)
    const frame = { command: 9, attributes: [{ id: 1, value: hexBytes('aabb'), cached: true }] }
    expect([encoder.encode(frame), encoder.encode(frame)].map(hexText)).toEqual([first, second])
  })

  test('the oldest value leaves a full table', () => {
    const encoder = new PackedEncoder(70)
    const frame = (value: string) => ({
      command: 9,
      attributes: [{ id: 1, value: hexBytes(value), cached: true }],
    })
    const bytes = ['aaaa', 'bbbb', 'aaaa', 'cccc', 'bbbb', 'aaaa'].map((value) =>
      hexText(encoder.encode(frame(value))),
    )
    expect(bytes).toEqual([
      '09044102aaaa',
      '09044102bbbb',
      '09028101',
      '09044102cccc',
      '09028101',
      '09044102aaaa',
    ])
  })

  test('values in the table do not hold the chunk that they came in', () => {
    const decoder = new PackedDecoder()
    const chunk = hexBytes('09044102aabb')
    const first = decoder.decode(chunk)!.value.attributes[0]!.value as Uint8Array
    expect(first.buffer).not.toBe(chunk.buffer)
    chunk.fill(0)
    expect(decoder.decode(hexBytes('09028100'))!.value.attributes[0]!.value).toEqual(hexBytes('aabb'))
  })

  test('numbers too large for their field are ignored', () => {
    const reader = new PackedMessageReader({ from: 'courier' })
    reader.push(
      new PackedEncoder().encode({
        command: 0x0d,
        attributes: [
          { id: 1, value: 256 },
          { id: 2, value: 7 },
        ],
      }),
    )
    expect(reader.next()).toEqual({ type: 'keepAliveReply', delay: 7 })
  })
})

test.each([
  ['apns-pack-v1', { fromDeviceBytes: 4096, fromCourierBytes: 4096 }],
  ['apns-pack-v1:8192:1024', { fromDeviceBytes: 8192, fromCourierBytes: 1024 }],
  ['apns-pack-v1:0:65536', { fromDeviceBytes: 0, fromCourierBytes: 65_536 }],
  ['apns-pack-v1:65537:1', undefined],
  ['apns-pack-v1:1', undefined],
  ['apns-pack-v1:1:2:3', undefined],
  ['apns-pack-v1::', undefined],
  ['apns-pack-v1:-1:1', undefined],
  ['apns-security-v3', undefined],
])('ALPN %s', (name, sizes) => {
  expect(packedTableSizes(name)).toEqual(sizes)
})
