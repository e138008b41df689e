import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hexBytes, hexText } from '../../src/bytes/index.ts'
import {
  decodeChannelMark,
  decodeChannelSubscription,
  encodeChannelMark,
  encodeChannelSubscription,
} from '../../src/courier/index.ts'
import { WireError } from '../../src/wire-error.ts'
import { survives } from '../splits.ts'

const mark = fc.record({
  channelId: fc.uint8Array({ maxLength: 40 }),
  lastMessageNs: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
})
const topic = fc.record({
  topic: fc.string({ unit: 'grapheme' }),
  subscribe: fc.array(mark, { maxLength: 4 }),
  unsubscribe: fc.array(mark, { maxLength: 4 }),
})
const subscription = fc.record({ topics: fc.array(topic, { maxLength: 4 }), replace: fc.boolean() })

describe('channel records', () => {
  test('golden bytes', () => {
    const record = {
      topics: [
        {
          topic: 'a.b',
          subscribe: [{ channelId: hexBytes('c1c2'), lastMessageNs: 300n }],
          unsubscribe: [{ channelId: hexBytes('d1'), lastMessageNs: 0n }],
        },
      ],
      replace: true,
    }
    //            version | topic 19 B: name "a.b" | mark 7 B: id, 300 | mark 3 B: id | replace
    const hex = '0801' + '1213' + '0a03612e62' + '12070a02c1c210ac02' + '1a030a01d1' + '1801'
    expect(hexText(encodeChannelSubscription(record))).toBe(hex)
    expect(decodeChannelSubscription(hexBytes(hex))).toEqual(record)
    expect(hexText(encodeChannelMark({ channelId: hexBytes('aa'), lastMessageNs: 2n ** 64n - 1n }))).toBe(
      '0a01aa10ffffffffffffffffff01',
    )
  })

  test('any record comes back', () => {
    fc.assert(
      fc.property(mark, subscription, (one, all) => {
        expect(decodeChannelMark(encodeChannelMark(one))).toEqual(one)
        expect(decodeChannelSubscription(encodeChannelSubscription(all))).toEqual(all)
      }),
    )
  })

  test('unknown fields of every wire type are skipped', () => {
    const unknown = '7801' + '790102030405060708' + '7a0155' + '7d01020304'
    expect(decodeChannelMark(hexBytes(`${unknown}0a01aa${unknown}`))).toEqual({
      channelId: hexBytes('aa'),
      lastMessageNs: 0n,
    })
  })

  test.each([
    ['a number cut off', '10ff'],
    ['a number of more than ten bytes', `10${'ff'.repeat(10)}01`],
    ['bytes beyond the record', '0a02aa'],
    ['eight bytes cut off', '7901'],
    ['a group', '0b0c'],
  ])('%s', (_, hex) => {
    expect(() => decodeChannelMark(hexBytes(hex))).toThrow(
      expect.objectContaining({ code: 'protobuf-invalid' }),
    )
  })

  test('a time below 0 cannot be written', () => {
    expect(() => encodeChannelMark({ channelId: hexBytes('aa'), lastMessageNs: -1n })).toThrow(WireError)
  })

  test('garbage ends, and throws nothing but WireError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) =>
        survives(() => decodeChannelSubscription(bytes), WireError),
      ),
      { numRuns: 2000 },
    )
  })
})
