import { Notification as NotificationClass } from './notification.ts'
import { MultiProvider as MultiProviderClass, Provider as ProviderClass } from './provider.ts'
import { token } from './token.ts'

export type {
  Aps,
  ApsAlert,
  ApsNotificationInterruptionLevel,
  ApsSound,
  NotificationAlertOptions,
  NotificationPushType,
} from './aps.ts'
export type { Logger } from './provider.ts'
export type { MultiProviderOptions, ProviderOptions, ProviderToken } from './provider-options.ts'
export type {
  BroadcastResponse,
  BroadcastResponseFailure,
  LoggerResponse,
  LoggerResponseFailure,
  ResponseFailure,
  ResponseSent,
  Responses,
} from './responses.ts'
export type { ChannelAction } from './service-call.ts'

/**
 * The originals are functions, which some programs call without `new`: as they are, or from the constructor of a
 * class that was compiled to a function, `self` being what it makes.
 */
const callable = <C extends new (...args: never[]) => object>(
  base: C,
  make: (self: unknown, args: unknown[]) => object = (self, args) =>
    Reflect.construct(base, args, self instanceof base ? self.constructor : base),
): Callable<C> => new Proxy(base, { apply: (_base, self, args) => make(self, args) }) as Callable<C>

type Callable<C extends new (...args: never[]) => object> = C &
  ((...args: ConstructorParameters<C>) => InstanceType<C>)

export const Provider = callable(ProviderClass)
export type Provider = ProviderClass
export const MultiProvider = callable(MultiProviderClass)
export type MultiProvider = MultiProviderClass
/** Its fields are all its own, so that those of a class that does not mind what a call returns can be set. */
export const Notification = callable(NotificationClass, (self, args) => {
  const made = Reflect.construct(NotificationClass, args)
  return self instanceof NotificationClass ? Object.assign(self, made) : made
})
export type Notification = NotificationClass
export { token }

/** What `require` gives, and `import apn from`: an object of its own, so that tests can put something else in. */
const apn = { Provider, MultiProvider, Notification, token }

/** `apn.Provider` and the others as types. */
declare namespace apn {
  type Provider = ProviderClass
  type MultiProvider = MultiProviderClass
  type Notification = NotificationClass
  type ProviderOptions = import('./provider-options.ts').ProviderOptions
  type MultiProviderOptions = import('./provider-options.ts').MultiProviderOptions
  type ProviderToken = import('./provider-options.ts').ProviderToken
  type Aps = import('./aps.ts').Aps
  type ApsAlert = import('./aps.ts').ApsAlert
  type ApsSound = import('./aps.ts').ApsSound
  type ApsNotificationInterruptionLevel = import('./aps.ts').ApsNotificationInterruptionLevel
  type Responses<R, F> = import('./responses.ts').Responses<R, F>
  type ResponseSent = import('./responses.ts').ResponseSent
  type ResponseFailure = import('./responses.ts').ResponseFailure
  type BroadcastResponse = import('./responses.ts').BroadcastResponse
  type BroadcastResponseFailure = import('./responses.ts').BroadcastResponseFailure
  type Logger = import('./provider.ts').Logger
  type LoggerResponse = import('./responses.ts').LoggerResponse
  type LoggerResponseFailure = import('./responses.ts').LoggerResponseFailure
  type ChannelAction = import('./service-call.ts').ChannelAction
  type NotificationAlertOptions = import('./aps.ts').NotificationAlertOptions
  type NotificationPushType = import('./aps.ts').NotificationPushType
}

export { apn as default, apn as 'module.exports' }
