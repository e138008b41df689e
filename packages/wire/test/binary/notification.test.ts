import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  appendBinaryNotification,
  type BinaryNotification,
  BinaryNotificationReader,
  binaryProblems,
  decodeBinaryNotification,
  encodeBinaryNotification,
} from '../../src/binary/index.ts'
import { ByteWriter, concatBytes, hexBytes, hexText } from '../../src/bytes/index.ts'
import { binaryFrameBytesMax } from '../../src/limits.ts'
import { WireError } from '../../src/wire-error.ts'
import { chunksOf, readAll, splitsOf, survives } from '../splits.ts'

const token = 'a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf'
const payload = '7b22617073223a7b7d7d'

const notification = (given: Partial<BinaryNotification>): BinaryNotification => ({
  type: 'notification',
  command: 2,
  token: hexBytes(token),
  payload: hexBytes(payload),
  identifier: undefined,
  expiration: undefined,
  priority: undefined,
  ...given,
})

const hex16 = (value: number) => value.toString(16).padStart(4, '0')
const hex32 = (value: number) => value.toString(16).padStart(8, '0')
const item = (id: number, value: string) => `0${id}${hex16(value.length / 2)}${value}`
const framed = (...items: string[]) => `02${hex32(items.join('').length / 2)}${items.join('')}`
const tokenItem = item(1, token)
const payloadItem = item(2, payload)
const identifierItem = item(3, '00000007')

describe('golden bytes', () => {
  test.each([
    ['command 0', notification({ command: 0 }), `000020${token}000a${payload}`],
    [
      'command 1',
      notification({ command: 1, identifier: 7, expiration: 1_900_000_000 }),
      `0100000007713fb3000020${token}000a${payload}`,
    ],
    [
      'command 2',
      notification({ identifier: 7, expiration: 0, priority: 5 }),
      `0200000042010020${token}02000a${payload}030004000000070400040000000005000105`,
    ],
    ['command 2 without options', notification({}), framed(tokenItem, payloadItem)],
  ])('%s', (_, value, hex) => {
    expect(hexText(encodeBinaryNotification(value))).toBe(hex)
    expect(decodeBinaryNotification(hexBytes(hex))).toEqual({ value, next: hex.length / 2 })
  })

  test('items in any order, as clients send them', () => {
    const value = notification({ identifier: 7, priority: 10 })
    const hex = framed(identifierItem, item(5, '0a'), payloadItem, tokenItem)
    expect(decodeBinaryNotification(hexBytes(hex))?.value).toEqual(value)
  })
})

const u32 = fc.nat(0xffff_ffff)
const option = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
const anyToken = fc.uint8Array({ minLength: 1, maxLength: 100 })
const anyPayload = fc.uint8Array({ minLength: 1, maxLength: 300 })
const anyNotification: fc.Arbitrary<BinaryNotification> = fc
  .oneof(
    fc.record({ command: fc.constant(0 as const), token: anyToken, payload: anyPayload }),
    fc.record({
      command: fc.constant(1 as const),
      token: anyToken,
      payload: anyPayload,
      identifier: u32,
      expiration: u32,
    }),
    fc.record({
      command: fc.constant(2 as const),
      token: anyToken,
      payload: anyPayload,
      identifier: option(u32),
      expiration: option(u32),
      priority: option(fc.constantFrom(5, 10)),
    }),
  )
  .map(notification)

describe('any notifications', () => {
  test('come back, and every prefix is incomplete', () => {
    fc.assert(
      fc.property(anyNotification, (value) => {
        const bytes = encodeBinaryNotification(value)
        for (let end = 0; end < bytes.length; end++) {
          expect(decodeBinaryNotification(bytes, 0, end)).toBeUndefined()
        }
        expect(decodeBinaryNotification(bytes)).toEqual({ value, next: bytes.length })
      }),
    )
  })

  test('any split of a stream gives the same', () => {
    const streams = fc
      .array(anyNotification, { minLength: 1, maxLength: 6 })
      .map((all) => {
        const writer = new ByteWriter()
        for (const each of all) appendBinaryNotification(writer, each)
        return { all, bytes: writer.finish() }
      })
      .chain((stream) => splitsOf(stream.bytes.length).map((cuts) => ({ ...stream, cuts })))
    fc.assert(
      fc.property(streams, ({ all, bytes, cuts }) => {
        const reader = new BinaryNotificationReader()
        expect(readAll(reader, chunksOf(bytes, cuts))).toEqual(all)
        expect([reader.pendingBytes, reader.failed]).toEqual([0, false])
      }),
    )
  })

  test('any split of garbage gives the same, ends, and throws nothing', () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc.uint8Array({ maxLength: 80 }).map((items) => Uint8Array.of(2, 0, 0, 0, items.length, ...items)),
    )
    const streams = fc
      .tuple(fc.array(anyNotification, { maxLength: 2 }), noise)
      .map(([all, end]) => concatBytes(...all.map(encodeBinaryNotification), end))
      .chain((bytes) => splitsOf(bytes.length).map((cuts) => ({ bytes, cuts })))
    fc.assert(
      fc.property(streams, ({ bytes, cuts }) =>
        survives(() => {
          const whole = readAll(new BinaryNotificationReader(), [bytes])
          expect(readAll(new BinaryNotificationReader(), chunksOf(bytes, cuts))).toEqual(whole)
        }, WireError),
      ),
      { numRuns: 1000 },
    )
  })
})

describe('problems', () => {
  const longToken = 'aa'.repeat(101)
  const bigPayload = '20'.repeat(2049)

  const cases = [
    ['unknownCommand', '03', 0],
    ['unknownCommand', '08', 0],
    ['frameTooLong', `02${hex32(binaryFrameBytesMax + 1)}`, 0],
    ['itemOverrun', framed(identifierItem, '010020aa'), 7],
    ['itemOverrun', framed(identifierItem, '0100'), 7],
    ['itemOverrun', framed('010020aa', identifierItem), 0],
    ['unknownItem', framed(tokenItem, payloadItem, identifierItem, item(6, '00')), 7],
    ['unknownItem', framed(item(0, ''), tokenItem, payloadItem), 0],
    ['itemLength', framed(tokenItem, payloadItem, item(3, '0007')), 0],
    ['itemLength', framed(identifierItem, tokenItem, payloadItem, item(4, '00')), 7],
    ['itemLength', framed(identifierItem, tokenItem, payloadItem, item(5, '000a')), 7],
    ['duplicateItem', framed(tokenItem, identifierItem, tokenItem, payloadItem), 7],
    ['duplicateItem', framed(tokenItem, payloadItem, identifierItem, identifierItem), 7],
    // The identifier is echoed also where it stands behind what is wrong.
    ['duplicateItem', framed(tokenItem, tokenItem, payloadItem, identifierItem), 7],
    ['unknownItem', framed(item(6, '00'), item(9, ''), tokenItem, payloadItem, identifierItem), 7],
    ['itemLength', framed(tokenItem, payloadItem, item(5, '000a'), identifierItem), 7],
    ['tokenMissing', framed(payloadItem, identifierItem), 7],
    ['tokenMissing', framed(), 0],
    ['tokenEmpty', framed(item(1, ''), payloadItem, identifierItem), 0],
    ['tokenEmpty', '0100000007000000000000', 0],
    ['tokenEmpty', '000000', 0],
    ['tokenLength', framed(item(1, longToken), payloadItem, identifierItem), 7],
    ['tokenLength', '0100000007000000000065', 7],
    ['tokenLength', '000065', 0],
    ['payloadMissing', framed(tokenItem, identifierItem), 7],
    ['payloadMissing', framed(tokenItem, item(2, ''), identifierItem), 7],
    ['payloadMissing', `010000000700000000${hex16(32)}${token}0000`, 7],
    ['payloadLength', framed(tokenItem, item(2, bigPayload), identifierItem), 7],
    ['payloadLength', `010000000700000000${hex16(32)}${token}0801`, 7],
    ['payloadLength', `00${hex16(32)}${token}0801`, 0],
    ['priorityUnknown', framed(tokenItem, payloadItem, identifierItem, item(5, '01')), 7],
  ] as const

  test.each(cases)('%s in %s', (problem, hex, identifier) => {
    const bytes = hexBytes(hex)
    const expected = {
      type: 'problem',
      command: bytes[0],
      problem,
      status: binaryProblems[problem].status,
      identifier,
    }
    expect(decodeBinaryNotification(bytes)?.value).toEqual(expected)
    // Nothing behind a bad notification counts, and every split finds the same.
    const reader = new BinaryNotificationReader()
    const stream = concatBytes(bytes, encodeBinaryNotification(notification({})))
    expect(readAll(reader, chunksOf(stream, [...stream.keys()]))).toEqual([expected])
    expect([reader.failed, reader.pendingBytes]).toEqual([true, 0])
  })

  test('every problem is among the cases above', () => {
    expect(new Set(cases.map(([problem]) => problem))).toEqual(new Set(Object.keys(binaryProblems)))
  })

  test('a payload of the largest length that can be written still gets its own status', () => {
    const bytes = hexBytes(framed(tokenItem, item(2, '20'.repeat(65_535)), identifierItem))
    expect(decodeBinaryNotification(bytes)?.value).toMatchObject({ problem: 'payloadLength', identifier: 7 })
  })
})

describe('rules', () => {
  test('limits are inclusive', () => {
    const value = notification({ token: new Uint8Array(100), payload: new Uint8Array(2048) })
    expect(decodeBinaryNotification(encodeBinaryNotification(value))?.value).toEqual(value)
  })

  test('a service may know one token length only', () => {
    const bytes = encodeBinaryNotification(notification({ token: new Uint8Array(31) }))
    const rules = { tokenBytesMin: 32, tokenBytesMax: 32 }
    expect(decodeBinaryNotification(bytes, 0, bytes.length, rules)?.value).toMatchObject({
      problem: 'tokenLength',
    })
  })

  test('a stricter payload limit for commands 0 and 1 only', () => {
    const rules = { payloadBytesMax: 4096, payloadBytesMaxUnframed: 256 }
    const results = ([0, 1, 2] as const).map((command) => {
      const bytes = encodeBinaryNotification(notification({ command, payload: new Uint8Array(257) }))
      return decodeBinaryNotification(bytes, 0, bytes.length, rules)?.value.type
    })
    expect(results).toEqual(['problem', 'problem', 'notification'])
  })
})

describe('values that a command cannot carry', () => {
  test.each([
    ['an identifier in command 0', notification({ command: 0, identifier: 1 })],
    ['an expiration in command 0', notification({ command: 0, expiration: 0 })],
    ['a priority in command 1', notification({ command: 1, priority: 5 })],
    ['an identifier of 2^32', notification({ identifier: 2 ** 32 })],
    ['a payload of 65,536 bytes', notification({ payload: new Uint8Array(65_536) })],
  ])('%s', (_, value) => {
    expect(() => encodeBinaryNotification(value)).toThrow(WireError)
  })
})
