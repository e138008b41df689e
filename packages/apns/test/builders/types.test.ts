import type { Aps } from '@carillon/wire'
import { expect, expectTypeOf, test } from 'vitest'
import {
  type ApsKeys,
  alert,
  type BuiltNotification,
  background,
  liveActivity,
  type Notification,
  PushClient,
  type PushResult,
  type SentPush,
} from '../../src/index.ts'

const bundleId = 'com.example.app'

// Checked by the compiler: each expectation below that is not met is an error of `tsc`.
test('the types of builders, keys and results', () => {
  expectTypeOf(alert({ bundleId, body: 'x' })).toExtend<Notification>()
  expectTypeOf(alert({ bundleId, body: 'x' })).toEqualTypeOf<BuiltNotification<'alert'>>()

  // Every known key of aps, and no other.
  expectTypeOf<ApsKeys['badge']>().toEqualTypeOf<number | undefined>()
  expectTypeOf<ApsKeys['interruption-level']>().toEqualTypeOf<Aps['interruption-level']>()
  expectTypeOf<ApsKeys>().not.toHaveProperty('bagde')
  expectTypeOf<keyof ApsKeys>().toEqualTypeOf<
    | 'alert'
    | 'badge'
    | 'sound'
    | 'thread-id'
    | 'category'
    | 'content-available'
    | 'mutable-content'
    | 'target-content-id'
    | 'interruption-level'
    | 'relevance-score'
    | 'filter-criteria'
    | 'stale-date'
    | 'content-state'
    | 'timestamp'
    | 'event'
    | 'dismissal-date'
    | 'attributes-type'
    | 'attributes'
    | 'input-push-channel'
    | 'input-push-token'
    | 'content-changed'
    | 'url-args'
  >()

  const neverCalled = (): void => {
    // @ts-expect-error a misspelled key of aps
    alert({ bundleId, aps: { 'mutable-contant': 1 } })
    // @ts-expect-error a level that does not exist
    alert({ bundleId, interruptionLevel: 'urgent' })
    // @ts-expect-error data may not bring an aps of its own
    alert({ bundleId, data: { aps: {} } })
    // @ts-expect-error a background push takes 5 or 1
    background({ bundleId, priority: 10 })
    // @ts-expect-error a Live Activity starts with an alert
    liveActivity.start({ bundleId, timestamp: 1, contentState: {}, attributesType: 'T', attributes: {} })
    // @ts-expect-error an update needs a state
    liveActivity.update({ bundleId, timestamp: 1 })
    // @ts-expect-error a key in memory has no file name to tell its id
    new PushClient({ auth: { type: 'token', teamId: 'DEF123GHIJ', privateKey: '' }, environment: 'sandbox' })
    // @ts-expect-error a certificate has a key
    new PushClient({ auth: { type: 'certificate', certFile: 'push.pem' }, environment: 'sandbox' })
    // @ts-expect-error an auth key has a team
    new PushClient({ auth: { type: 'token', keyFile: 'AuthKey_ABC123DEFG.p8' }, environment: 'sandbox' })
  }
  expect(neverCalled).toBeTypeOf('function')

  const told = (result: PushResult): string => {
    switch (result.outcome) {
      case 'accepted':
        // @ts-expect-error what was accepted has no reason
        return result.reason
      case 'rejected':
        expectTypeOf(result.status).toEqualTypeOf<number>()
        return result.reason
      case 'unsent':
      case 'ambiguous':
        expectTypeOf(result.status).toEqualTypeOf<0>()
        return result.reason
    }
  }
  expectTypeOf(told).returns.toEqualTypeOf<string>()

  const many = (client: PushClient) => {
    const pushes = client.sendMany([{ deviceToken: 'ab', payload: {}, user: 7 }])
    const tokens = client.sendMany(alert({ bundleId, body: 'x' }), ['ab'])
    const made = client.sendMany((token) => ({ payload: { token } }), ['ab'], { signal: AbortSignal.abort() })
    return { pushes, tokens, made }
  }
  type Many = ReturnType<typeof many>
  type ItemOf<T> = T extends AsyncGenerator<infer I> ? I : never
  expectTypeOf<ItemOf<Many['pushes']>['push']['user']>().toEqualTypeOf<number>()
  expectTypeOf<ItemOf<Many['tokens']>>().toEqualTypeOf<SentPush<BuiltNotification<'alert'>>>()
  expectTypeOf<ItemOf<Many['made']>['push']['payload']['token']>().toEqualTypeOf<string>()
})
