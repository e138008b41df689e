import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import {
  checkDeviceToken,
  checkPayloadBytes,
  checkPushHeaders,
  checkTopic,
  collectHeaders,
  header,
  headerBit,
  headerCheckOrder,
  knownReasonOf,
  PushHeaders,
  payloadBytesMaxOf,
  pushTypeTable,
  type ReasonText,
  readPushHeaders,
  reasons,
} from '../../src/index.ts'

const token = 'ab'.repeat(32)
const id = '00112233-4455-4677-8899-aabbccddeeff'
const good = [
  ':method',
  'POST',
  ':path',
  `/3/device/${token}`,
  ':scheme',
  'https',
  ':authority',
  'localhost',
  'authorization',
  'bearer x',
  'apns-topic',
  'com.example.app',
]

/** The reason text for the good request with these headers added or, for a name that it has, replaced. */
function readWith(...extra: string[]): string | undefined {
  const list = [...good]
  for (let index = 0; index < extra.length; index += 2) {
    const at = list.findIndex((name, position) => position % 2 === 0 && name === extra[index])
    if (at === -1) list.push(extra[index]!, extra[index + 1]!)
    else list[at + 1] = extra[index + 1]!
  }
  return readPushHeaders(list, new PushHeaders())?.text
}

describe('readPushHeaders', () => {
  it('fills the record', () => {
    const headers = new PushHeaders()
    const list = [
      ...good,
      'apns-id',
      id,
      'apns-push-type',
      'voip',
      'apns-priority',
      '5',
      'apns-expiration',
      '1700000000',
      'apns-collapse-id',
      'score',
      'content-length',
      '12',
      'user-agent',
      'x',
    ]
    expect(readPushHeaders(list, headers)).toBeUndefined()
    expect(headers).toMatchObject({
      method: 'POST',
      token,
      authority: 'localhost',
      authorization: 'bearer x',
      topic: 'com.example.app',
      apnsId: id,
      pushType: 'voip',
      priority: 5,
      expiration: 1_700_000_000,
      collapseId: 'score',
      contentLengthText: '12',
    })
    expect(headers.has(headerBit.collapseId)).toBe(true)
    expect(headers.has(headerBit.channelId)).toBe(false)
  })

  it('leaves nothing of the previous request behind', () => {
    const headers = new PushHeaders()
    const everything = Object.values(header).flatMap((name) => [name, 'x', name, 'y'])
    collectHeaders(everything, headers)
    collectHeaders([], headers)
    expect(headers).toEqual(new PushHeaders())
  })

  it('has defaults: priority 10, no push type, no expiration', () => {
    const headers = new PushHeaders()
    expect(readPushHeaders(good, headers)).toBeUndefined()
    expect(headers).toMatchObject({ priority: 10, pushType: undefined, expiration: -1, apnsId: '' })
  })

  it('takes host where :authority is missing, and prefers :authority', () => {
    const headers = new PushHeaders()
    collectHeaders(['host', 'a'], headers)
    expect(headers.authority).toBe('a')
    collectHeaders(['host', 'a', ':authority', 'b'], headers)
    expect(headers.authority).toBe('b')
    collectHeaders([':authority', 'b', 'host', 'a'], headers)
    expect(headers).toMatchObject({ authority: 'b', hasDuplicate: false })
  })

  test.each([
    [':path', '/', 'BadPath'],
    [':path', '/3/devices/x', 'BadPath'],
    [':path', `/3/device/${token}/x`, 'BadPath'],
    [':path', `/4/broadcasts/apps/com.example.app`, 'BadPath'],
    [':method', 'GET', 'MethodNotAllowed'],
    [':method', 'post', 'MethodNotAllowed'],
    ['apns-id', '', 'BadMessageId'],
    ['apns-id', 'x', 'BadMessageId'],
    ['apns-expiration', '', 'BadExpirationDate'],
    ['apns-expiration', '-1', 'BadExpirationDate'],
    ['apns-expiration', '1.5', 'BadExpirationDate'],
    ['apns-priority', '', 'BadPriority'],
    ['apns-priority', '7', 'BadPriority'],
    ['apns-collapse-id', 'x'.repeat(65), 'BadCollapseId'],
    ['apns-collapse-id', 'é'.repeat(33), 'BadCollapseId'],
    ['apns-push-type', '', 'InvalidPushType'],
    ['apns-push-type', 'Alert', 'InvalidPushType'],
    ['apns-push-type', 'toString', 'InvalidPushType'],
    ['apns-push-type', '__proto__', 'InvalidPushType'],
  ])('%s %j is %s', (name, value, reason) => {
    expect(readWith(name, value)).toBe(reason)
  })

  test.each(pushTypeTable.map((row) => row.value))('takes the push type %s', (value) => {
    expect(readWith('apns-push-type', value)).toBeUndefined()
  })

  test.each([
    'authorization',
    'apns-id',
    'apns-topic',
    'apns-push-type',
    'apns-priority',
    'apns-expiration',
    'apns-collapse-id',
    ':path',
    ':method',
    'content-length',
    'apns-channel-id',
    'apns-request-id',
  ])('a second %s is a duplicate', (name) => {
    const headers = new PushHeaders()
    const list = [':method', 'POST', ':path', '/3/device/ab', name, 'a', name, 'a']
    collectHeaders(list, headers)
    expect(checkPushHeaders(headers)).toBe(reasons.DuplicateHeaders)
  })

  it('lets headers repeat that are none of its own', () => {
    const list = [...good, 'cookie', 'a', 'cookie', 'b', 'accept', 'x', 'accept', 'y']
    expect(readPushHeaders(list, new PushHeaders())).toBeUndefined()
  })

  it('refuses an urgent background push, unless told not to', () => {
    const list = [...good, 'apns-push-type', 'background', 'apns-priority', '10']
    const headers = new PushHeaders()
    expect(readPushHeaders(list, headers)).toBe(reasons.BadPriority)
    expect(readPushHeaders(list, headers, { refusesUrgentBackground: false })).toBeUndefined()
    expect(headers.priority).toBe(10)
  })

  it('gives a background push without a priority the one that it needs', () => {
    const headers = new PushHeaders()
    expect(readPushHeaders([...good, 'apns-push-type', 'background'], headers)).toBeUndefined()
    expect(headers.priority).toBe(5)
  })

  it('reports the first problem of the documented order, whatever else is wrong', () => {
    const broken: Record<(typeof headerCheckOrder)[number], string[]> = {
      DuplicateHeaders: ['apns-topic', 'x'],
      BadMessageId: ['apns-id', 'x'],
      BadExpirationDate: ['apns-expiration', 'x'],
      BadPriority: ['apns-priority', 'x'],
      BadCollapseId: ['apns-collapse-id', 'x'.repeat(65)],
      InvalidPushType: ['apns-push-type', 'x'],
    }
    fc.assert(
      fc.property(fc.shuffledSubarray([...headerCheckOrder], { minLength: 1 }), (chosen) => {
        const list = [...good, ...chosen.flatMap((reason) => broken[reason])]
        const first = headerCheckOrder.find((reason) => chosen.includes(reason))
        expect(readPushHeaders(list, new PushHeaders())?.text).toBe(first)
      }),
    )
  })

  it('never throws, and never answers with anything but a row of the table', () => {
    const headers = new PushHeaders()
    const name = fc.oneof(fc.constantFrom(...Object.values(header)), fc.string())
    const value = fc.oneof(
      fc.constantFrom('POST', `/3/device/${token}`, id, '10', '5', '0', 'alert', 'background', ''),
      fc.string({ unit: 'binary' }),
    )
    const list = fc.array(fc.tuple(name, value)).map((pairs) => pairs.flat())
    fc.assert(
      fc.property(list, fc.boolean(), (flat, isCut) => {
        const reason = readPushHeaders(isCut ? flat.slice(0, -1) : flat, headers)
        if (reason !== undefined) expect(knownReasonOf(reason.text)).toBe(reason)
      }),
    )
  })
})

describe('token, topic and payload', () => {
  test.each([
    ['', 'MissingDeviceToken'],
    ['xyz', 'BadDeviceToken'],
    ['abc', 'BadDeviceToken'],
    ['ab'.repeat(101), 'BadDeviceToken'],
    [token.toUpperCase(), undefined],
    ['ab', undefined],
  ])('device token %j: %s', (text, reason) => {
    expect(checkDeviceToken(text)?.text).toBe(reason)
  })

  test.each<[string, Parameters<typeof checkTopic>[1], ReasonText | undefined]>([
    ['', 'alert', 'MissingTopic'],
    ['com example', 'alert', 'BadTopic'],
    ['com/example', undefined, 'BadTopic'],
    ['x'.repeat(256), 'alert', 'BadTopic'],
    ['com.example.app', undefined, undefined],
    ['com.example.app.voip', undefined, undefined],
    ['com.example.app', 'alert', undefined],
    ['com.example.app', 'background', undefined],
    ['com.example.app.voip', 'alert', 'InvalidPushType'],
    ['com.example.app.voip', 'background', 'InvalidPushType'],
    ['com.example.app.voip', 'pushtotalk', 'InvalidPushType'],
    ['com.example.app', 'voip', 'DeviceTokenNotForTopic'],
    ['com.example.app', 'liveactivity', 'DeviceTokenNotForTopic'],
    ['com.apple.mgmt.External.0a1b', 'mdm', undefined],
  ])('topic %j with push type %s: %s', (topic, pushType, reason) => {
    expect(checkTopic(topic, pushType)?.text).toBe(reason)
  })

  const bytes = (text: string) => new TextEncoder().encode(text)
  test.each<[string, ReasonText | undefined]>([
    ['', 'PayloadEmpty'],
    ['not json', 'PayloadEmpty'],
    ['[]', 'PayloadEmpty'],
    ['{"aps":{}', 'PayloadEmpty'],
    [`{"a":"${'x'.repeat(4096)}"}`, 'PayloadTooLarge'],
    [`{"a":"${'x'.repeat(4088)}"}`, undefined],
    [`{"a":"${'x'.repeat(4089)}"}`, 'PayloadTooLarge'],
    ['{}', undefined],
    ['{"aps":{"alert":5}}', undefined],
    ['{"mdm":"magic"}', undefined],
  ])('payload %#: %s', (text, reason) => {
    expect(checkPayloadBytes(bytes(text), payloadBytesMaxOf('alert', 'a.b'))?.text).toBe(reason)
  })

  it('gives voip 5120 bytes, and every other type and none 4096', () => {
    for (const row of pushTypeTable) expect(row.payloadBytesMax).toBe(row.value === 'voip' ? 5120 : 4096)
    expect(payloadBytesMaxOf(undefined, 'a.b')).toBe(4096)
    expect(payloadBytesMaxOf('voip', 'a.b.voip')).toBe(5120)
  })

  it('gives a voip push without a push type as much as one with it', () => {
    expect(payloadBytesMaxOf(undefined, 'a.b.voip')).toBe(5120)
    expect(payloadBytesMaxOf('alert', 'a.b.voip')).toBe(4096)
  })
})

test('a record that was filled from other requests before says the same as a new one', () => {
  const field = fc.constantFrom<[string, string]>(
    [':path', '/3/device/aa'],
    [':path', '/3/device/bb'],
    ['apns-id', id],
    ['apns-id', 'other'],
    ['apns-topic', 'com.example.app'],
    ['apns-topic', ''],
    ['apns-priority', '5'],
    ['host', 'a'],
    ['host', 'b'],
    [':authority', 'c'],
    ['x-more', ':path'],
  )
  const start = fc.constantFrom(good, [...good, 'apns-id', id], [])
  const list = fc
    .tuple(start, fc.array(field, { maxLength: 3 }))
    .map(([first, more]) => [...first, ...more.flat()])
  fc.assert(
    fc.property(fc.array(list, { maxLength: 20 }), (lists) => {
      const used = new PushHeaders()
      for (const each of lists) {
        const fresh = new PushHeaders()
        collectHeaders(each, used)
        collectHeaders(each, fresh)
        expect({ ...used }).toEqual({ ...fresh })
        checkPushHeaders(used)
        // As a gateway does where the certificate names the topic.
        if (used.topic === '') used.topic = 'com.example.default'
      }
    }),
    { numRuns: 300 },
  )
})
