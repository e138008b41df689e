import { EventEmitter } from 'node:events'
import { header } from '@carillon/wire'
import { ApnsIdSource } from '../../apns-id-source.ts'
import { nodeRuntime } from '../../drivers/node-runtime.ts'
import { ArgumentError } from '../../errors.ts'
import { DEFAULT_LIMITS } from '../../limits.ts'
import type { PushClientOptions } from '../../options.ts'
import type { Push } from '../../push.ts'
import { PushClient } from '../../push-client.ts'
import type { PushResult } from '../../result.ts'
import type { Runtime } from '../../runtime.ts'
import { type ClientOptions, clientOptionsOf } from './client-options.ts'
import type { Notification, Sendable } from './notification.ts'
import type { MultiProviderOptions, ProviderOptions } from './provider-options.ts'
import {
  type BroadcastResponse,
  type BroadcastResponseFailure,
  destroyedMessage,
  failureOf,
  type LoggerResponse,
  type LoggerResponseFailure,
  type ResponseFailure,
  type ResponseSent,
  type Responses,
  sentOf,
} from './responses.ts'
import {
  broadcastCall,
  type ChannelAction,
  callService,
  channelCalls,
  type ServiceCall,
} from './service-call.ts'
import { VError } from './verror.ts'

/** Called where its `enabled` is true. */
export type Logger = ((message: string) => void) & { enabled?: boolean }

type ChannelResponses = Responses<BroadcastResponse, BroadcastResponseFailure>

/** The provider of node-apn, over a PushClient. */
export class Provider extends EventEmitter {
  readonly #options: ClientOptions
  readonly #runtime: Runtime
  readonly #client: PushClient
  /** Made with the first request of channel management. */
  #channelClient: PushClient | undefined
  readonly #newId: () => string
  #isShutDown = false
  #errorLogger: Logger | undefined

  constructor(options?: ProviderOptions) {
    super()
    this.#options = clientOptionsOf(options ?? {}, this.connectionsMax(options ?? {}), nodeRuntime.now())
    this.#runtime = this.#options.verifies ? nodeRuntime : unverified
    this.#client = this.#make(this.#options.pushes)
    const ids = new ApnsIdSource((bytes) => nodeRuntime.random(bytes))
    this.#newId = () => ids.next()
  }

  /** Sends a copy to each recipient. Resolves when all have a result, in the order of the recipients. */
  async send(
    notification: Sendable,
    recipients: string | string[],
  ): Promise<Responses<ResponseSent, ResponseFailure>> {
    const push = pushOf(notification as Notification)
    // A copy: callers fill their array anew while this waits.
    const devices = Array.isArray(recipients) ? [...recipients] : [recipients]
    if (this.#isShutDown) return { sent: [], failed: devices.map((device) => ({ device, ...destroyed() })) }
    const results =
      devices.length === 1
        ? [await this.#client.send({ ...push, deviceToken: String(devices[0]) })]
        : await this.#sendMany(push, devices)
    const sent: ResponseSent[] = []
    const failed: ResponseFailure[] = []
    for (let i = 0; i < results.length; i++) {
      const result = results[i]!
      if (result.ok) sent.push(sentOf(devices[i]!, result))
      else failed.push({ device: devices[i]!, ...failureOf(result, header.apnsId, this.#newId) })
    }
    this.#log(failed)
    return { sent, failed }
  }

  /** Creates, reads, lists or deletes channels, one for each notification. Rejects for another action. */
  async manageChannels(
    notifications: Sendable | Sendable[],
    bundleId: string,
    action: ChannelAction,
  ): Promise<ChannelResponses> {
    const call = Object.hasOwn(channelCalls, action) ? channelCalls[action] : undefined
    if (call === undefined) {
      // An object, as in the original, where callers look for its `error`.
      throw { bundleId, error: new VError(`the action "${action}" is not supported`) }
    }
    const list = asList(notifications) as Notification[]
    for (const notification of list) {
      if (action === 'create') notification.addPushTypeToPayloadIfNeeded()
      notification.removeNonChannelRelatedProperties()
    }
    if (!this.#isShutDown) this.#channelClient ??= this.#make(this.#options.channels)
    return this.#callAll(this.#channelClient ?? this.#client, call, bundleId, list)
  }

  /** Publishes each notification to the channel that it names. */
  broadcast(notifications: Sendable | Sendable[], bundleId: string): Promise<ChannelResponses> {
    return this.#callAll(this.#client, broadcastCall, bundleId, asList(notifications) as Notification[])
  }

  /** Tells failures to a function, if its `enabled` is true. No device token is among what it is told. */
  setLogger(
    logger: (message: string) => void,
    errorLogger?: (message: string) => void,
  ): Promise<Responses<LoggerResponse, LoggerResponseFailure>> {
    if (typeof logger !== 'function') {
      throw new Error(`Expected newLogger to be a function, got ${typeof logger}`)
    }
    if (errorLogger && typeof errorLogger !== 'function') {
      throw new Error(`Expected newErrorLogger to be a function or null, got ${typeof errorLogger}`)
    }
    this.#errorLogger = errorLogger || logger
    return Promise.resolve({ sent: [], failed: [] })
  }

  /** Takes no more, lets what is pending finish, then closes. */
  async shutdown(callback?: () => void): Promise<void> {
    this.#isShutDown = true
    await Promise.all([this.#client.close(), this.#channelClient?.close()])
    callback?.()
  }

  /** How many connections it may open. */
  protected connectionsMax(_options: ProviderOptions): number {
    return DEFAULT_LIMITS.connectionsMax
  }

  async #sendMany(push: Omit<Push, 'deviceToken'>, devices: readonly string[]): Promise<PushResult[]> {
    const results = new Array<PushResult>(devices.length)
    for await (const { index, result } of this.#client.sendMany(push, devices.map(String))) {
      results[index] = result
    }
    return results
  }

  async #callAll(
    client: PushClient,
    call: ServiceCall,
    bundleId: string,
    notifications: readonly Notification[],
  ): Promise<ChannelResponses> {
    if (this.#isShutDown) {
      return { sent: [], failed: notifications.map(() => ({ bundleId, ...destroyed() })) }
    }
    const answers = await Promise.all(
      notifications.map((one) => callService(client, call, bundleId, one, this.#newId())),
    )
    const isFailure = (answer: (typeof answers)[number]): answer is BroadcastResponseFailure =>
      'status' in answer || 'error' in answer
    const failed = answers.filter(isFailure)
    this.#log(failed)
    return { sent: answers.filter((answer): answer is BroadcastResponse => !isFailure(answer)), failed }
  }

  #make(options: PushClientOptions): PushClient {
    try {
      return new PushClient(options, this.#runtime)
    } catch (error) {
      const isToken = error instanceof ArgumentError && options.auth.type === 'token'
      throw isToken && error.field.startsWith('auth') ? new VError('Failed to generate token', error) : error
    }
  }

  #log(failed: readonly (ResponseFailure | BroadcastResponseFailure)[]): void {
    const logger = this.#errorLogger
    if (!logger?.enabled) return
    for (const { status, response, error } of failed) {
      logger(error === undefined ? `Request ended with status ${status}: ${response?.reason}` : error.message)
    }
  }
}

/** At most as many connections as the original has clients; they are opened when they are needed. */
export class MultiProvider extends Provider {
  /** `clientCount` beside the options of a Provider. */
  constructor(options: MultiProviderOptions) {
    super(options)
  }

  protected override connectionsMax({ clientCount }: MultiProviderOptions): number {
    const count = Number.parseInt(String(clientCount || 2), 10)
    if (count >= 1) return count
    throw new Error(`Expected positive client count but got ${clientCount}`)
  }
}

const unverified: Runtime = {
  ...nodeRuntime,
  connect: (target, connection) => nodeRuntime.connect({ ...target, rejectUnauthorized: false }, connection),
}

const destroyed = () => ({ error: new VError(destroyedMessage) })

const asList = <T>(one: T | T[]): T[] => (Array.isArray(one) ? one : [one])

/** What the headers and the body of a notification are as a push; subclasses may have made them otherwise. */
const pushOf = (notification: Notification): Omit<Push, 'deviceToken'> => {
  const headers = notification.headers()
  const body = notification.compile()
  const push: { -readonly [K in keyof Push]?: unknown } = { payload: body === '{}' ? '' : body }
  const text = (name: string) => (headers[name] === undefined ? undefined : String(headers[name]))
  // Digits alone: '' and true are no 0 and no 1 to the service, which is sent what is written.
  const number = (name: string) => {
    const digits = text(name)
    if (digits === undefined) return undefined
    return /^\d+$/.test(digits) ? Number(digits) : Number.NaN
  }
  push.topic = text(header.apnsTopic)
  push.pushType = text(header.apnsPushType)
  push.priority = number(header.apnsPriority)
  push.expiration = number(header.apnsExpiration)
  push.collapseId = text(header.apnsCollapseId)
  push.apnsId = text(header.apnsId)
  return push as Omit<Push, 'deviceToken'>
}
