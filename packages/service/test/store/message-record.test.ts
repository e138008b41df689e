import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeMessageRecord, encodeMessageRecord } from '../../src/store/message-record.ts'

const text = fc.string({ unit: fc.constantFrom(...'abcz.-059'), maxLength: 255 })
const fields = fc.record({
  topic: text,
  token: fc.uint8Array({ maxLength: 255 }),
  apnsId: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  payload: fc.uint8Array({ maxLength: 9000 }),
  priority: fc.constantFrom(1, 5, 10),
  pushType: fc.oneof(fc.constant('alert'), text),
  receivedAtMs: fc.nat(Number.MAX_SAFE_INTEGER),
})

test('what is encoded is decoded', () => {
  fc.assert(
    fc.property(fields, text, (message, otherApp) => {
      const record = new Uint8Array(encodeMessageRecord(message))
      for (const app of [message.topic, otherApp]) expect(decodeMessageRecord(record, app)).toEqual(message)
    }),
  )
})

test('the bytes are these', () => {
  const record = encodeMessageRecord({
    topic: 'a.b',
    token: Uint8Array.of(0xaa, 0xbb),
    apnsId: new Uint8Array(16).fill(0x11),
    payload: new TextEncoder().encode('{}'),
    priority: 10,
    pushType: 'alert',
    receivedAtMs: 0x0001_0203_0405,
  })
  expect(Buffer.from(record).toString('hex')).toBe(
    `010a050302${'11'.repeat(16)}0000000102030405${Buffer.from('alerta.b').toString('hex')}aabb7b7d`,
  )
})

test('bytes of nobody are refused, and every prefix that loses more than payload', () => {
  const encoded = encodeMessageRecord({
    topic: 'a.b',
    token: new Uint8Array(32),
    apnsId: new Uint8Array(16),
    payload: new Uint8Array(0),
    priority: 10,
    pushType: '',
    receivedAtMs: 1,
  })
  const record = new Uint8Array(encoded)
  for (let length = 0; length < record.length; length++) {
    expect(() => decodeMessageRecord(record.subarray(0, length), '')).toThrow(/damaged/)
  }
  expect(() =>
    decodeMessageRecord(
      Uint8Array.from(record, (byte, at) => (at === 0 ? 2 : byte)),
      '',
    ),
  ).toThrow(/newer/)
})

test('a topic that does not fit is refused', () => {
  const message = {
    topic: 'a'.repeat(256),
    token: new Uint8Array(32),
    apnsId: new Uint8Array(16),
    payload: new Uint8Array(0),
    priority: 10,
    pushType: '',
    receivedAtMs: 1,
  }
  expect(() => encodeMessageRecord(message)).toThrow(/255/)
})
