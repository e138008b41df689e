import { expect, test } from 'vitest'
import { ApnsIdSource } from '../src/apns-id-source.ts'
import type { Push } from '../src/index.ts'
import { PendingPush } from '../src/pending-push.ts'
import { Preparer } from '../src/prepare.ts'
import { expectArgumentError } from './support/argument-error.ts'
import { Seeded } from './support/seeded.ts'
import { deviceToken, push } from './support/service.ts'

const random = new Seeded(1)
const ids = () => new ApnsIdSource((bytes) => random.bytes(bytes))
const preparer = () => new Preparer(ids(), true)

test.each<[Partial<Record<keyof Push, unknown>>, string]>([
  [{ deviceToken: 'not hex' }, 'BadDeviceToken'],
  [{ deviceToken: 'abc' }, 'BadDeviceToken'],
  [{ deviceToken: 'ab\r\n' }, 'BadDeviceToken'],
  [{ deviceToken: 'ab'.repeat(101) }, 'BadDeviceToken'],
  [{ deviceToken: '' }, 'MissingDeviceToken'],
  [{ topic: undefined }, 'MissingTopic'],
  [{ topic: '' }, 'MissingTopic'],
  [{ topic: 'com.example app' }, 'BadTopic'],
  [{ topic: 'com.example\r\nx: y' }, 'BadTopic'],
  [{ topic: 'com.exämple' }, 'BadTopic'],
  [{ pushType: 'toast' }, 'InvalidPushType'],
  [{ priority: 7 }, 'BadPriority'],
  [{ priority: '10' }, 'BadPriority'],
  [{ pushType: 'background', priority: 10 }, 'BadPriority'],
  [{ expiration: -1 }, 'BadExpirationDate'],
  [{ expiration: 1.5 }, 'BadExpirationDate'],
  [{ expiration: '0' }, 'BadExpirationDate'],
  [{ expiration: 1_900_000_000_000 }, 'BadExpirationDate'],
  [{ expiration: new Date(Number.NaN) }, 'BadExpirationDate'],
  [{ collapseId: 'x'.repeat(65) }, 'BadCollapseId'],
  [{ collapseId: 'ß'.repeat(33) }, 'BadCollapseId'],
  [{ collapseId: 'a\nb' }, 'BadCollapseId'],
  [{ collapseId: ' a' }, 'BadCollapseId'],
  [{ apnsId: 'no-uuid' }, 'BadMessageId'],
  [{ payload: '' }, 'PayloadEmpty'],
  [{ payload: new Uint8Array(0) }, 'PayloadEmpty'],
  [{ payload: 'x'.repeat(4097) }, 'PayloadTooLarge'],
  [{ payload: 'ß'.repeat(2049) }, 'PayloadTooLarge'],
  [{ pushType: 'voip', payload: 'x'.repeat(5121) }, 'PayloadTooLarge'],
])('%j is refused without being sent: %s', (change, reason) => {
  const result = preparer().prepare({ ...push(), ...change } as Push)
  expect(result).toMatchObject({ ok: false, reason, sent: false, retryable: false, tokenIsDead: false })
  expect(result).toHaveProperty('hint', expect.stringMatching(/^Not sent: /))
})

test.each<[Partial<Record<keyof Push, unknown>>]>([
  [{ priority: 1 }],
  [{ pushType: 'background', priority: 5 }],
  [{ expiration: 0 }],
  [{ expiration: 0xffff_ffff }],
  [{ collapseId: 'x'.repeat(64) }],
  [{ payload: 'x'.repeat(4096) }],
  [{ pushType: 'voip', payload: 'x'.repeat(5120) }],
  // As senders from before push types have it.
  [{ pushType: undefined, topic: 'com.example.app.voip', payload: 'x'.repeat(5120) }],
  [{ deviceToken: 'ab'.repeat(100) }],
])('%j can be sent', (change) => {
  expect(preparer().prepare({ ...push(), ...change } as Push)).toBeInstanceOf(PendingPush)
})

test.each<[unknown, string]>([
  [undefined, 'push'],
  ['token', 'push'],
  [{ ...push(), deviceToken: undefined }, 'deviceToken'],
  [{ ...push(), deviceToken: Buffer.alloc(32) }, 'deviceToken'],
  [{ ...push(), topic: 5 }, 'topic'],
  [{ ...push(), pushType: {} }, 'pushType'],
  [{ ...push(), collapseId: 5 }, 'collapseId'],
  [{ ...push(), apnsId: 5 }, 'apnsId'],
  [{ ...push(), payload: undefined }, 'payload'],
  [{ ...push(), payload: 5 }, 'payload'],
  [{ ...push(), payload: { big: 1n } }, 'payload'],
  [{ ...push(), payload: { toJSON: () => undefined } }, 'payload'],
  [{ ...push(), signal: {} }, 'signal'],
])('%o is a mistake in the program, told with the field', (bad, field) => {
  expectArgumentError(field, () => preparer().prepare(bad as Push))
})

test('with a certificate the topic may be left out', () => {
  const { payload } = push()
  expect(new Preparer(ids(), false).prepare({ deviceToken, payload })).toBeInstanceOf(PendingPush)
})

test('one string is encoded once; an object that changed is encoded anew', () => {
  const one = preparer()
  const bodyOf = (payload: Push['payload']): Uint8Array | string => {
    const prepared = one.prepare({ ...push(), payload })
    return prepared instanceof PendingPush ? prepared.body : new Uint8Array(0)
  }
  const first = bodyOf('{"aps":{}}')
  expect(bodyOf('{"aps":{}}')).toBe(first)
  const payload = { n: 1 }
  expect(bodyOf(payload)).toBe('{"n":1}')
  payload.n = 2
  expect(bodyOf(payload)).toBe('{"n":2}')
})

test('ids are version 4 UUIDs in lower case, and all different', () => {
  const source = ids()
  const made = Array.from({ length: 1000 }, () => source.next())
  expect(new Set(made).size).toBe(1000)
  for (const id of made)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})
