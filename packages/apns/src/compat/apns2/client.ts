import { createPrivateKey } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { appleHosts } from '@carillon/wire'
import { nodeRuntime } from '../../drivers/node-runtime.ts'
import type { PushClientOptions } from '../../options.ts'
import type { Push } from '../../push.ts'
import { PushClient } from '../../push-client.ts'
import type { PushRejected, PushResult } from '../../result.ts'
import { ApnsError, type ApnsResponseError, Errors } from './errors.ts'
import type { Notification } from './notification.ts'
import { Priority } from './priority.ts'
import type { PushType } from './push-type.ts'
import { UnansweredError } from './unanswered-error.ts'

/** Apple's hosts. */
export const Host = {
  production: appleHosts.production.http2,
  development: appleHosts.sandbox.http2,
} as const
export type Host = (typeof Host)[keyof typeof Host]

/** A key in PEM, with its passphrase where it is encrypted. */
export type PrivateKey = string | Buffer | { key: string | Buffer; passphrase?: string | undefined }

/** The options of apns2, and three of PushClient that it has not. */
export interface ApnsOptions extends Pick<PushClientOptions, 'port' | 'ca' | 'proxy'> {
  team: string
  /** The `.p8`, its contents. */
  signingKey: string | Buffer | PrivateKey
  keyId: string
  defaultTopic?: string
  /** Default: production. */
  host?: Host | string
  /** Milliseconds from sending to the answer. Default: 300 s. */
  requestTimeout?: number
  /** Connections are kept while the process runs, and do not keep it alive; false changes nothing. */
  keepAlive?: boolean
}

/** A provider token and when it was made. In the types alone: tokens are made by the signer of the key. */
export interface SigningToken {
  value: string
  timestamp: number
}

/** What the HTTP client of the original waits for an answer. */
const answerMsMax = 300_000

/** The client of apns2, over a PushClient. Emits every rejection under its reason and under `Errors.error`. */
export class ApnsClient extends EventEmitter {
  readonly team: string
  readonly keyId: string
  readonly host: Host | string
  readonly signingKey: string | Buffer | PrivateKey
  readonly defaultTopic: string | undefined
  readonly keepAlive: boolean
  readonly #options: ApnsOptions
  /** Made with the first push: credentials that cannot be used fail pushes, not the constructor. */
  #client: PushClient | undefined
  #isClosed = false
  #wasDestroyed = false
  #destroyedWith: globalThis.Error | undefined

  constructor(options: ApnsOptions) {
    super()
    this.team = options.team
    this.keyId = options.keyId
    this.signingKey = options.signingKey
    this.defaultTopic = options.defaultTopic
    this.host = options.host ?? Host.production
    this.keepAlive = options.keepAlive ?? true
    this.#options = options
  }

  /** Resolves with the notification. Rejects with ApnsError where the service says no, else with another error. */
  async send(notification: Notification): Promise<Notification> {
    const result = await this.#connected().send(pushOf(notification, this.defaultTopic))
    if (result.ok) return notification
    throw this.#failed(notification, result)
  }

  /** Resolves when all have a result: the notification, or its error, each in its place. */
  async sendMany(notifications: Notification[]): Promise<(Notification | { error: ApnsError })[]> {
    const answers = new Array<Notification | { error: ApnsError }>(notifications.length)
    const { defaultTopic } = this
    let client: PushClient
    try {
      client = this.#connected()
    } catch (error) {
      // Credentials that cannot be used fail each.
      return answers.fill({ error: error as ApnsError })
    }
    // A copy: callers fill their array anew while this waits.
    const entries = [...notifications].entries()
    const pushes = function* () {
      for (const [at, notification] of entries) {
        try {
          yield { ...pushOf(notification, defaultTopic), at, notification }
        } catch (error) {
          answers[at] = { error: error as ApnsError }
        }
      }
    }
    for await (const { push, result } of client.sendMany(pushes())) {
      answers[push.at] = this.#answerOf(push.notification, result)
    }
    return answers
  }

  /** The client asks silent connections by itself, so there is nothing to do. */
  ping(): Promise<PromiseSettledResult<void>[]> {
    return Promise.resolve([])
  }

  /** Lets what is pending finish, then closes. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#client?.close()
    this.#wasDestroyed = true
  }

  /** Closes at once; what is pending fails, with this error if there is one. */
  async destroy(error?: globalThis.Error | null): Promise<void> {
    this.#wasDestroyed = true
    this.#destroyedWith ??= error ?? undefined
    this.#isClosed = true
    await this.#client?.close({ drain: false })
  }

  #connected(): PushClient {
    if (this.#client === undefined) {
      this.#client = new PushClient(clientOptionsOf(this, this.#options), nodeRuntime)
      if (this.#isClosed) void this.#client.close()
    }
    return this.#client
  }

  /** A listener that throws fails its own notification, as in the original, and no other. */
  #answerOf(notification: Notification, result: PushResult): Notification | { error: ApnsError } {
    try {
      return result.ok ? notification : { error: this.#failed(notification, result) as ApnsError }
    } catch (error) {
      return { error: error as ApnsError }
    }
  }

  #failed(notification: Notification, result: PushResult & { ok: false }): globalThis.Error {
    if (result.outcome !== 'rejected') {
      const isDestroyed = result.reason === 'ClientClosed' && this.#wasDestroyed
      return (isDestroyed && this.#destroyedWith) || new UnansweredError(result, this.#wasDestroyed)
    }
    const { status: statusCode } = result
    const error = new ApnsError({ statusCode, notification, response: responseOf(result) })
    this.emit(error.reason, error)
    this.emit(Errors.error, error)
    return error
  }
}

const clientOptionsOf = (client: ApnsClient, options: ApnsOptions): PushClientOptions => {
  const { host, keyId, team, signingKey } = client
  const { port, ca, proxy, requestTimeout } = options
  return {
    auth: { type: 'token', keyId, teamId: team, privateKey: keyOf(signingKey) },
    environment: host === Host.development ? 'sandbox' : 'production',
    host,
    port: port ?? 443,
    ...(ca === undefined ? {} : { ca }),
    proxy,
    // One attempt, as in the original: only what was certainly not processed goes out again.
    retry: false,
    limits: { connectFailuresMax: 3, answerMsMax: requestTimeout || answerMsMax },
  }
}

const keyOf = (key: string | Buffer | PrivateKey) =>
  typeof key === 'string' || Buffer.isBuffer(key) ? key : createPrivateKey(key)

const pushOf = (notification: Notification, defaultTopic: string | undefined): Push => {
  const { options, priority, pushType } = notification
  const { expiration, collapseId } = options
  return {
    deviceToken: String(notification.deviceToken),
    topic: textOf(options.topic ?? defaultTopic),
    pushType: String(pushType) as PushType,
    // The original leaves the service's default out.
    priority: priority === Priority.immediate ? undefined : (Number(priority) as Priority),
    expiration: expiration === undefined ? undefined : secondsOf(expiration),
    collapseId: textOf(collapseId || undefined),
    payload: JSON.stringify(notification.buildApnsOptions()),
  }
}

/** The original writes whatever is there into a header, numbers too. */
const textOf = (value: unknown): string | undefined => (value === undefined ? undefined : String(value))

/** Rounded, as in the original. */
const secondsOf = (expiration: number | Date): number =>
  Math.round(typeof expiration === 'number' ? expiration : expiration.getTime() / 1000)

const responseOf = ({ status, reason, timestamp }: PushRejected): ApnsResponseError => {
  if (reason === `HttpStatus${status}`) return { reason: Errors.unknownError, timestamp: nodeRuntime.now() }
  return { reason, ...(timestamp === undefined ? {} : { timestamp }) } as ApnsResponseError
}
