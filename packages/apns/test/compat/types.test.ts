import type original from '@parse/node-apn'
import type { SigningToken } from 'apns2'
import { expectTypeOf, test } from 'vitest'
import type * as apns2 from '../../src/compat/apns2/index.ts'
import type apn from '../../src/compat/node-apn/index.ts'

// Checked by the compiler. Programs name these as `apn.Aps` after `import apn from` or `import apn = require`.
test('every type of the originals has its name here', () => {
  expectTypeOf<original.Aps>().toExtend<apn.Aps>()
  expectTypeOf<original.ApsAlert>().toExtend<apn.ApsAlert>()
  expectTypeOf<original.ApsSound>().toExtend<apn.ApsSound>()
  expectTypeOf<original.ApsNotificationInterruptionLevel>().toExtend<apn.ApsNotificationInterruptionLevel>()
  expectTypeOf<original.BroadcastResponse>().toExtend<apn.BroadcastResponse>()
  expectTypeOf<original.BroadcastResponseFailure>().toExtend<apn.BroadcastResponseFailure>()
  expectTypeOf<original.ChannelAction>().toExtend<apn.ChannelAction>()
  expectTypeOf<original.LoggerResponse>().toExtend<apn.LoggerResponse>()
  expectTypeOf<original.LoggerResponseFailure>().toExtend<apn.LoggerResponseFailure>()
  expectTypeOf<original.MultiProviderOptions>().toExtend<apn.MultiProviderOptions>()
  expectTypeOf<original.NotificationAlertOptions>().toExtend<apn.NotificationAlertOptions>()
  expectTypeOf<original.NotificationPushType>().toExtend<apn.NotificationPushType>()
  expectTypeOf<original.ProviderOptions>().toExtend<apn.ProviderOptions>()
  expectTypeOf<original.ProviderToken>().toExtend<apn.ProviderToken>()
  expectTypeOf<original.ResponseFailure>().toExtend<apn.ResponseFailure>()
  expectTypeOf<original.ResponseSent>().toExtend<apn.ResponseSent>()
  expectTypeOf<original.Responses<string, number>>().toExtend<apn.Responses<string, number>>()
  expectTypeOf<SigningToken>().toExtend<apns2.SigningToken>()
})
