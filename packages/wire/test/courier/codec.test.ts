import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteWriter } from '../../src/bytes/byte-writer.ts'
import { hexBytes, hexText, utf8Bytes } from '../../src/bytes/index.ts'
import { encodeByTable } from '../../src/courier/codec.ts'
import {
  appendCourierMessage,
  type CourierMessage,
  type CourierMessageType,
  courierExtensionFieldMin,
  courierMessages,
  decodeCourierMessage,
  decodeNonce,
  decodeSignature,
  encodeCourierMessage,
  topicHash,
} from '../../src/courier/index.ts'
import type { FieldKind, MessageRow } from '../../src/courier/message-row.ts'
import { WireError } from '../../src/wire-error.ts'
import { survives } from '../splits.ts'
import { arbitraryMessage, arbitraryMessageFrom, messageDirections } from './arbitrary-message.ts'
import { vectors } from './vectors.ts'

const { constants } = vectors
const baseToken = hexBytes(constants.baseToken)

describe('recorded exchanges', () => {
  const frames = Object.entries(vectors.tlv).flatMap(([exchange, list]) =>
    list.map(
      (vector, index) => [`${exchange}[${index}] command 0x${vector.cmd.toString(16)}`, vector] as const,
    ),
  )

  test.each(frames)('%s decodes and encodes to the same bytes', (_, vector) => {
    const bytes = hexBytes(vector.hex)
    const decoded = decodeCourierMessage(vector.dir === 'D>S' ? 'device' : 'courier', bytes)!
    expect(decoded.next).toBe(bytes.length)
    const message = decoded.value as CourierMessage
    const row: MessageRow = courierMessages[message.type]
    expect(row.command).toBe(vector.cmd)
    const known = Object.entries(row.fields).filter(([name]) => name in message)
    expect(new Set(known.map(([, field]) => field.id))).toEqual(new Set(vector.fields.map(({ id }) => id)))
    expect(hexText(encodeCourierMessage(message))).toBe(vector.hex)
    expect(hexText(encodeByTable(message))).toBe(vector.hex)
  })

  test('the first connect carries a nonce of its time and an RSA signature', () => {
    const { value } = decodeCourierMessage('device', hexBytes(vectors.tlv.first[0]!.hex))!
    if (value.type !== 'connect') throw new Error(value.type)
    expect(value).toMatchObject({ state: 1, flags: 0x41, protocolVersion: 11 })
    expect(value.token).toBeUndefined()
    expect(value.certificates).toHaveLength(1)
    expect(decodeNonce(value.nonce!).timeMs).toBe(constants.firstNonceMs)
    expect(decodeSignature(value.signature!)).toMatchObject({ scheme: 'rsa-sha1' })
    expect(decodeSignature(value.signature!).signature).toHaveLength(128)
  })

  test('the fields of a notification', () => {
    const { value } = decodeCourierMessage('courier', hexBytes(vectors.tlv.first[6]!.hex))!
    expect(value).toEqual({
      type: 'notification',
      token: hexBytes('d7575f1c0dfcaf85e5e7fa4345dbbbe28bac0279ec5c096e000c03dc78f252af'),
      topicHash: hexBytes(constants.topicSha1),
      payload: utf8Bytes('{"aps":{"alert":"hello"}}'),
      id: 0x01020304,
      expirySeconds: 1_900_000_000,
      sentAtNs: 1_700_000_000_000_000_000n,
      legacyFlags: 0,
      priority: 10,
      baseToken,
    })
  })
})

const fieldsOf = (type: CourierMessageType): MessageRow['fields'] => courierMessages[type].fields

test('topic hashes', () => {
  expect(hexText(topicHash(constants.topic))).toBe(constants.topicSha1)
  for (const [topic, hash] of Object.entries(constants.sanitySha1))
    expect(hexText(topicHash(topic))).toBe(hash)
})

describe('the message table', () => {
  const commands = '07 08 09 0a 0b 0c 0d 0e 0f 10 11 12 13 14 15 1b 16 22 17 18 19 1d 1e 20 21'.split(' ')

  test('has a row for every known command', () => {
    const known = new Set(
      Object.values(courierMessages)
        .map((row) => row.command)
        .filter((command) => command < courierExtensionFieldMin),
    )
    expect(known).toEqual(new Set(commands.map((command) => Number.parseInt(command, 16))))
  })

  test('has no two messages of one command in one direction', () => {
    const keys = messageDirections.map(([type, from]) => `${courierMessages[type].command} from ${from}`)
    expect(new Set(keys).size).toBe(keys.length)
  })

  test.each(Object.entries(courierMessages) as [string, MessageRow][])(
    '%s: field ids are distinct',
    (_, row) => {
      const ids = Object.values(row.fields).map((field) => field.id)
      expect(new Set(ids).size).toBe(ids.length)
    },
  )

  test('uses the range of our extensions for nothing but our extensions', () => {
    const ours = Object.entries(courierMessages as Record<string, MessageRow>).flatMap(([type, row]) =>
      Object.entries(row.fields)
        .filter(([, field]) => field.id >= courierExtensionFieldMin)
        .map(([name]) => `${type}.${name}`),
    )
    expect(ours).toEqual([
      'connect.extensions',
      'connected.extensions',
      'filter.handled',
      'appTokenRequest.installation',
      'state.power',
      'tracingAck.report',
      'closing.reason',
      'closing.retryAfterMs',
    ])
  })
})

describe('every message', () => {
  test.each(messageDirections)('%s from the %s comes back as it was', (type, from) => {
    fc.assert(
      fc.property(arbitraryMessage(type), fc.nat(9), (message, offset) => {
        const frame = encodeCourierMessage(message)
        const bytes = new Uint8Array(offset + frame.length + 3)
        bytes.set(frame, offset)
        expect(decodeCourierMessage(from, bytes, offset)).toEqual({
          value: message,
          next: offset + frame.length,
        })
      }),
    )
  })

  test.each(['notification', 'ack'] as const)('the short cut for %s writes what the table says', (type) => {
    fc.assert(
      fc.property(arbitraryMessage(type), (message) => {
        expect(hexText(encodeCourierMessage(message))).toBe(hexText(encodeByTable(message)))
      }),
      { numRuns: 500 },
    )
  })

  test.each(['device', 'courier'] as const)('every prefix of a frame from the %s is incomplete', (from) => {
    fc.assert(
      fc.property(arbitraryMessageFrom(from), (message) => {
        const frame = encodeCourierMessage(message)
        for (let end = 0; end < frame.length; end++) {
          expect(decodeCourierMessage(from, frame, 0, end)).toBeUndefined()
        }
      }),
    )
  })

  test('garbage ends, and throws nothing but WireError', () => {
    const framed = fc
      .tuple(fc.nat(0x24), fc.uint8Array({ maxLength: 60 }))
      .map(([command, body]) => Uint8Array.of(command, 0, 0, 0, body.length, ...body))
    const from = fc.constantFrom('device' as const, 'courier' as const)
    fc.assert(
      fc.property(from, fc.oneof(framed, fc.uint8Array({ maxLength: 60 })), (sender, bytes) =>
        survives(() => decodeCourierMessage(sender, bytes), WireError),
      ),
      { numRuns: 2000 },
    )
  })
})

describe('tolerance', () => {
  const filter = (fields: string) =>
    decodeCourierMessage(
      'device',
      hexBytes(`09${(fields.length / 2).toString(16).padStart(8, '0')}${fields}`),
    )!.value

  test.each([
    ['an unknown field is ignored', 'fe0001aa020001bb', { type: 'filter', enabled: [hexBytes('bb')] }],
    ['an integer of the wrong width is ignored', '0c000400000001', { type: 'filter' }],
    [
      'fields may repeat and come in any order',
      '020001bb010001aa020001cc',
      { type: 'filter', token: hexBytes('aa'), enabled: [hexBytes('bb'), hexBytes('cc')] },
    ],
    [
      'of a single field that repeats the last counts',
      '010001aa010001bb',
      { type: 'filter', token: hexBytes('bb') },
    ],
    ['an empty field is an empty value', '010000', { type: 'filter', token: new Uint8Array(0) }],
  ])('%s', (_, fields, message) => {
    expect(filter(fields)).toEqual(message)
  })

  test.each([
    ['00', 'device'],
    ['08', 'device'],
    ['1a', 'courier'],
    ['ff', 'courier'],
  ] as const)('command %s is not known from the %s: an unknown message, not an error', (command, from) => {
    expect(decodeCourierMessage(from, hexBytes(`${command}00000004010001aa`))).toEqual({
      value: { type: 'unknown', command: Number.parseInt(command, 16), body: hexBytes('010001aa') },
      next: 9,
    })
  })

  const widths: Partial<Record<FieldKind, number>> = {
    u8: 1,
    u16: 2,
    u32: 4,
    u64: 8,
    milliseconds: 8,
    failure: 6,
  }
  const numeric = messageDirections.flatMap(([type, from]) =>
    Object.entries(fieldsOf(type))
      .filter(([, field]) => field.kind in widths)
      .map(([name]) => ({ type, from, name })),
  )

  test.each(numeric)(
    '$type.$name from the $from is ignored in any width but its own',
    ({ type, from, name }) => {
      const width = widths[fieldsOf(type)[name]!.kind]
      for (let length = 0; length <= 9; length++) {
        const writer = new ByteWriter().u8(courierMessages[type].command)
        const frame = writer.begin32()
        for (const [other, field] of Object.entries(fieldsOf(type))) {
          if (!field.required && other !== name) continue
          const value = writer.u8(field.id).begin16()
          writer.raw(new Uint8Array(other === name ? length : (widths[field.kind] ?? 1))).end16(value)
        }
        const message = decodeCourierMessage(from, writer.end32(frame).finish())!.value
        expect(name in message, `${length} bytes`).toBe(length === width)
        if (fieldsOf(type)[name]!.required && length !== width) {
          expect(message).toEqual({
            type: 'unusable',
            command: courierMessages[type].command,
            message: type,
            missing: name,
          })
        } else expect(message.type).toBe(type)
      }
    },
  )

  test('a notification without payload is unusable, and says why', () => {
    const { value } = decodeCourierMessage('courier', hexBytes('0a0000000f010001aa020001bb04000400000001'))!
    expect(value).toEqual({ type: 'unusable', command: 0x0a, message: 'notification', missing: 'payload' })
  })

  test('keep-alive intervals that are no decimal number are ignored', () => {
    const body = hexText(encodeCourierMessage({ type: 'keepAlive', intervalMinutes: 15 })).replace(
      '3135',
      '3178',
    )
    expect(decodeCourierMessage('device', hexBytes(body))!.value).toEqual({ type: 'keepAlive' })
  })
})

describe('corrupt frames', () => {
  test.each([
    ['a negative length', '0980000000', 'frame-length-invalid'],
    ['a length beyond the limit', '090000fffc', 'frame-too-long'],
    ['a field beyond the frame', '0900000004010002aa', 'field-overrun'],
    ['a field header cut off', '09000000020100', 'field-overrun'],
    ['a field beyond the frame in an unknown command', '7f00000004010002aa', 'field-overrun'],
  ])('%s', (_, hex, code) => {
    expect(() => decodeCourierMessage('device', hexBytes(hex))).toThrow(expect.objectContaining({ code }))
  })

  test('the longest frame within the limit is waited for', () => {
    expect(decodeCourierMessage('device', hexBytes('090000fffb'))).toBeUndefined()
  })
})

describe('values that do not fit', () => {
  const token = new Uint8Array(32)
  const notification = { type: 'notification', token, topicHash: token, payload: token, id: 1 } as const

  test.each<[string, CourierMessage, string]>([
    ['a status of 256', { type: 'ack', id: 1, status: 256 }, 'value-out-of-range'],
    ['an id of 2^32', { type: 'ack', id: 2 ** 32 }, 'value-out-of-range'],
    ['an id that is no integer', { ...notification, id: 0.5 }, 'value-out-of-range'],
    ['a push type of 2^16', { ...notification, pushType: 2 ** 16 }, 'value-out-of-range'],
    ['a time below 0', { ...notification, sentAtNs: -1n }, 'value-out-of-range'],
    ['a payload of 65,536 bytes', { ...notification, payload: new Uint8Array(65_536) }, 'field-too-long'],
    ['a time that is no integer', { type: 'connected', status: 0, serverTimeMs: 1.5 }, 'value-out-of-range'],
    ['an interval below 0', { type: 'keepAlive', intervalMinutes: -1 }, 'value-out-of-range'],
  ])('%s', (_, message, code) => {
    expect(() => encodeCourierMessage(message)).toThrow(expect.objectContaining({ code }))
    expect(() => encodeByTable(message)).toThrow(expect.objectContaining({ code }))
    // A failed message leaves nothing behind in the shared writer.
    expect(hexText(encodeCourierMessage({ type: 'noStorage' }))).toBe('0e00000000')
  })
})

test('several messages in one writer', () => {
  const writer = new ByteWriter()
  appendCourierMessage(writer, { type: 'transportAck' })
  appendCourierMessage(writer, { type: 'state', state: 1, interval: 0x7fffffff })
  expect(hexText(writer.finish())).toBe('1500000000140000000b010001010200047fffffff')
})

// Frames that no recorded exchange holds, written out by hand from the table.
test.each<[CourierMessage, string]>([
  [{ type: 'tokenPresence', token: hexBytes('aabb'), status: 0 }, '0700000009010002aabb02000100'],
  [{ type: 'filterReply', version: 1n, status: 0 }, '090000000f020008000000000000000103000100'],
  [
    { type: 'uploadAck', id: 5, status: 0, timestamp: 2n },
    '0b0000001604000400000005080001000600080000000000000002',
  ],
  [
    { type: 'keepAlive', carrier: 'WiFi', intervalMinutes: 15, replyAfter: 900 },
    '0c00000012010004576946690500023135060003393030',
  ],
  [{ type: 'keepAliveReply', status: 0, delay: 600 }, '0d0000000b0100010002000400000258'],
  [{ type: 'noStorage', token: hexBytes('aa') }, '0e00000004010001aa'],
  [{ type: 'flush', wantedBytes: 64, padding: hexBytes('0000') }, '0f0000000a01000200400200020000'],
  [{ type: 'flushReply', padding: hexBytes('00') }, '100000000402000100'],
  [{ type: 'activeInterval', interval: 1 }, '130000000701000400000001'],
  [{ type: 'tracingAck', status: 0 }, '1b0000000403000100'],
  [{ type: 'keepAliveReceipt' }, '1600000000'],
  [{ type: 'keepAliveRequest' }, '2200000000'],
  [{ type: 'redirect', host: 'h', reason: 1 }, '170000000b0200016809000400000001'],
  [{ type: 'taskControl', id: 1, blob: hexBytes('aa') }, '180000000b01000400000001020001aa'],
  [{ type: 'taskNotification', id: 1, status: 0 }, '190000000b0100040000000103000100'],
  [
    { type: 'channels', id: 1, subscription: hexBytes('0801'), baseToken: hexBytes('aa') },
    '1d00000010010004000000010200020801030001aa',
  ],
  [{ type: 'channelsReply', id: 1, status: 0, timeout: 9 }, '1d00000012010004000000010400010005000400000009'],
  [
    { type: 'channelUpdate', payload: hexBytes('7b7d'), timestamp: 1n },
    '1e000000100200027b7d0400080000000000000001',
  ],
  [
    { type: 'presence', id: 1, salt: 1n, flags: 2 },
    '200000001901000400000001030008000000000000000104000400000002',
  ],
  [{ type: 'presenceReply', id: 1, status: 0 }, '200000000b0100040000000103000100'],
  [{ type: 'filterUpdate', version: 1n, status: 0 }, '210000000f020008000000000000000103000100'],
  [{ type: 'connect', failures: [{ code: 54, count: 2 }] }, '0700000009150006000000360002'],
])('golden bytes of $type', (message, hex) => {
  expect(hexText(encodeCourierMessage(message))).toBe(hex)
})
