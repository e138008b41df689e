import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import {
  checkBroadcastExpiration,
  checkBroadcastHeaders,
  checkBroadcastPayload,
  checkChannelHeaders,
  checkChannelTarget,
  collectHeaders,
  encodeChannelConfig,
  encodeChannelId,
  encodeChannelList,
  isChannelId,
  isChannelPath,
  isReason,
  PushHeaders,
  readChannelConfig,
  readChannelList,
  reasons,
  requestIdOf,
} from '../../src/index.ts'

const id = '00112233-4455-4677-8899-aabbccddeeff'
const bytes = (text: string) => new TextEncoder().encode(text)
const headersOf = (...list: string[]) => {
  const headers = new PushHeaders()
  collectHeaders(list, headers)
  return headers
}

describe('targets', () => {
  test.each([
    ['POST', '/1/apps/com.example/channels', 'create'],
    ['GET', '/1/apps/com.example/channels', 'read'],
    ['DELETE', '/1/apps/com.example/channels', 'delete'],
    ['GET', '/1/apps/com.example/all-channels', 'list'],
    ['POST', '/4/broadcasts/apps/com.example', 'broadcast'],
  ])('%s %s is %s', (method, path, operation) => {
    expect(checkChannelTarget(method, path)).toEqual({ operation, bundleId: 'com.example' })
  })

  test.each([
    ['POST', '/1/apps/com.example/all-channels', 'BadPath'],
    ['GET', '/4/broadcasts/apps/com.example', 'BadPath'],
    ['PUT', '/1/apps/com.example/channels', 'MethodNotAllowed'],
    ['POST', '/3/device/ab', 'BadPath'],
    ['POST', '/nothing', 'BadPath'],
  ])('%s %s is refused with %s', (method, path, reason) => {
    expect(checkChannelTarget(method, path)).toMatchObject({ text: reason })
  })
})

describe('headers of channel management', () => {
  it('echo the request id, or the apns-id that stands for it', () => {
    expect(requestIdOf(headersOf('apns-request-id', 'a', 'apns-id', 'b'))).toBe('a')
    expect(requestIdOf(headersOf('apns-id', 'b'))).toBe('b')
    expect(requestIdOf(headersOf())).toBe('')
  })

  test.each<[string[], boolean, string | undefined]>([
    [[], false, undefined],
    [['apns-request-id', id], false, undefined],
    [['apns-request-id', 'x'], false, 'BadMessageId'],
    [['apns-request-id', ''], false, 'BadMessageId'],
    [['apns-id', 'x'], false, 'BadMessageId'],
    [['apns-request-id', id, 'apns-request-id', id], false, 'DuplicateHeaders'],
    [[], true, 'MissingChannelId'],
    [['apns-channel-id', '???'], true, 'BadChannelId'],
    [['apns-channel-id', 'A'.repeat(132)], true, 'BadChannelId'],
    [['apns-channel-id', 'AAECAwQFBgcICQoLDA0ODw=='], true, undefined],
  ])('%j (needs channel id: %s): %s', (list, needsChannelId, reason) => {
    expect(checkChannelHeaders(headersOf(...list), needsChannelId)?.text).toBe(reason)
  })
})

describe('headers of a broadcast', () => {
  const good = ['apns-channel-id', 'AAAA', 'apns-push-type', 'liveactivity', 'apns-expiration', '0']

  test.each(['liveactivity', 'Liveactivity', 'LiveActivity'])('take the push type %s', (pushType) => {
    const headers = headersOf('apns-channel-id', 'AAAA', 'apns-push-type', pushType, 'apns-expiration', '7')
    expect(checkBroadcastHeaders(headers)).toBeUndefined()
    expect(headers).toMatchObject({ pushType: 'liveactivity', expiration: 7, priority: 10 })
  })

  test.each<[string[], string | undefined]>([
    [good, undefined],
    [[...good, 'apns-priority', '5'], undefined],
    [[...good, 'apns-priority', '3'], 'BadPriority'],
    [good.slice(2), 'MissingChannelId'],
    [['apns-channel-id', 'AAAA', 'apns-expiration', '0'], 'MissingPushType'],
    [['apns-channel-id', 'AAAA', 'apns-push-type', 'alert', 'apns-expiration', '0'], 'InvalidPushType'],
    [good.slice(0, 4), 'BadExpirationDate'],
    [[...good.slice(0, 4), 'apns-expiration', 'x'], 'BadExpirationDate'],
    [[...good, 'apns-request-id', 'x'], 'BadMessageId'],
  ])('%j: %s', (list, reason) => {
    expect(checkBroadcastHeaders(headersOf(...list))?.text).toBe(reason)
  })

  it('store nothing on a channel that stores nothing', () => {
    expect(checkBroadcastExpiration(0, 0)).toBeUndefined()
    expect(checkBroadcastExpiration(1, 0)).toBe(reasons.BadExpirationDate)
    expect(checkBroadcastExpiration(1, 1)).toBeUndefined()
  })
})

describe('payloads of broadcasts', () => {
  const ofBytes = (count: number) => `{"aps":{"event":"end"}}${' '.repeat(count - 23)}`

  test.each<[string, boolean, string | undefined]>([
    ['{"aps":{"event":"update"}}', true, undefined],
    ['{"aps":{"event":"end"}}', true, undefined],
    [ofBytes(5120), true, undefined],
    [ofBytes(5121), true, 'PayloadTooLarge'],
    ['', true, 'PayloadEmpty'],
    ['{', true, 'BadRequestPayload'],
    ['[]', false, 'BadRequestPayload'],
    ['{"aps":{"event":"start"}}', true, 'BadRequestPayload'],
    ['{"aps":{"event":"start"}}', false, undefined],
    ['{"aps":null}', true, 'BadRequestPayload'],
    ['{}', true, 'BadRequestPayload'],
    ['{}', false, undefined],
  ])('%j (event checked: %s): %s', (body, checksEvent, reason) => {
    expect(checkBroadcastPayload(bytes(body), checksEvent)?.text).toBe(reason)
  })
})

test('paths of channel management and broadcasts are told from others', () => {
  expect(isChannelPath('/1/apps/a.b/channels')).toBe(true)
  expect(isChannelPath('/4/broadcasts/apps/a.b')).toBe(true)
  expect(isChannelPath('/1/apps/')).toBe(true)
  expect(isChannelPath('/3/device/ab')).toBe(false)
})

describe('channel ids and bodies', () => {
  it('makes ids of standard base64', () => {
    expect(encodeChannelId(Uint8Array.from({ length: 16 }, (_, index) => index))).toBe(
      'AAECAwQFBgcICQoLDA0ODw==',
    )
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 96 }), (value) => {
        expect(isChannelId(encodeChannelId(value))).toBe(true)
      }),
    )
  })

  it('agrees with a plain pattern on any id', () => {
    const text = fc.string({ unit: fc.constantFrom(...'AZaz09+/=-_ .:@[`{é') })
    fc.assert(
      fc.property(text, (value) => {
        const isBase64 = value.length > 0 && value.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(value)
        expect(isChannelId(value)).toBe(isBase64)
      }),
    )
  })

  it('have golden bytes and read back', () => {
    for (const messageStoragePolicy of [0, 1] as const) {
      const body = encodeChannelConfig({ messageStoragePolicy })
      expect(new TextDecoder().decode(body)).toBe(
        `{"message-storage-policy":${messageStoragePolicy},"push-type":"LiveActivity"}`,
      )
      expect(readChannelConfig(body)).toEqual({ messageStoragePolicy })
    }
    const list = encodeChannelList(['AAAA', 'BBBB'])
    expect(new TextDecoder().decode(list)).toBe('{"channels":["AAAA","BBBB"]}')
    expect(readChannelList(list)).toEqual(['AAAA', 'BBBB'])
    for (const body of ['', '[]', '{}', '{"channels":[1]}'])
      expect(readChannelList(bytes(body))).toBeUndefined()
  })

  test.each([
    ['', 'PayloadEmpty'],
    ['{', 'BadRequestPayload'],
    ['[]', 'BadRequestPayload'],
    ['{"push-type":"LiveActivity"}', 'BadRequestParams'],
    ['{"message-storage-policy":2,"push-type":"LiveActivity"}', 'BadRequestParams'],
    ['{"message-storage-policy":"1","push-type":"LiveActivity"}', 'BadRequestParams'],
    ['{"message-storage-policy":1,"push-type":"LiveActivity","x":1}', 'BadRequestParams'],
    ['{"message-storage-policy":1}', 'MissingPushType'],
    ['{"message-storage-policy":1,"push-type":"alert"}', 'InvalidPushType'],
  ])('refuses to create a channel by %j with %s', (body, reason) => {
    const read = readChannelConfig(bytes(body))
    expect(isReason(read)).toBe(true)
    expect(read).toMatchObject({ text: reason })
  })
})
