import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Database, openDatabase } from '@carillon/database'
import {
  apnsIdText,
  CourierMessageReader,
  encodeChannelId,
  type MessageOf,
  type SharedMessage,
} from '@carillon/wire'
import { nextTurn } from '../../src/channels/drivers/next-turn.ts'
import { type OpenChannels, openChannels } from '../../src/channels/open-channels.ts'
import type { ChannelDevice } from '../../src/channels/subscription.ts'
import { type Fidelity, fidelityOf } from '../../src/fidelity.ts'
import { type RunningGateway, startGateway } from '../../src/gateway/start-gateway.ts'
import { migrations } from '../../src/migrations.ts'
import type { BroadcastStage, RejectedPush, TracedBroadcast } from '../../src/trace/trace.ts'
import { type Issued, TestAuthority } from '../certificates.ts'
import { type Answer, Provider } from '../gateway/provider.ts'
import { bundleId, keyId, MemoryAuthority, newKey, signToken, type TokenParts } from '../memory-authority.ts'

export interface ChannelWorldOptions {
  readonly fidelity?: Partial<Fidelity>
  readonly random?: (bytes: number) => Uint8Array
}

type Headers = Record<string, string | string[] | undefined>

/** A gateway with broadcast channels on a database of its own; nothing else is served. */
export class ChannelWorld {
  readonly authority = new MemoryAuthority()
  readonly keys = newKey()
  readonly troubles: string[] = []
  readonly rejections: RejectedPush[] = []
  /** What was told of broadcasts that were accepted. */
  readonly traced: (readonly [requestId: string, channelId: string, BroadcastStage, devices: number])[] = []
  /** Turned by tests. TLS goes by the real clock. */
  nowMs = Date.now()
  provider!: Provider
  readonly #options: ChannelWorldOptions
  readonly #directory = mkdtempSync(join(tmpdir(), 'carillon-channels-'))
  readonly #others: Provider[] = []
  #authorization: string | undefined
  #stopping: Promise<void> | undefined
  #ca!: TestAuthority
  #tls!: Issued
  #database!: Database
  #open!: OpenChannels
  #gateway!: RunningGateway

  private constructor(options: ChannelWorldOptions) {
    this.#options = options
  }

  static async start(options: ChannelWorldOptions = {}): Promise<ChannelWorld> {
    const world = new ChannelWorld(options)
    const { authority } = world
    world.#ca = await TestAuthority.make(Date.now())
    world.#tls = await world.#ca.server()
    authority.pushCaPem.push(world.#ca.caPem)
    authority.setApp(bundleId)
    authority.setKey(keyId, world.keys.publicKey)
    await world.#openAll()
    return world
  }

  get open(): OpenChannels {
    return this.#open
  }

  get database(): Database {
    return this.#database
  }

  get ca(): TestAuthority {
    return this.#ca
  }

  /** The same environment after a restart. */
  async restart(): Promise<void> {
    await this.#closeAll()
    await this.#openAll()
  }

  /** Without closing the provider's connections first. */
  stopGateway(): Promise<void> {
    this.#stopping ??= this.#gateway.close()
    return this.#stopping
  }

  async stop(): Promise<void> {
    await this.#closeAll()
    rmSync(this.#directory, { recursive: true })
  }

  /** Another connection than `provider`. */
  async connect(certificate?: Issued): Promise<Provider> {
    const options = { port: this.#gateway.port, caPem: this.#ca.caPem }
    const provider = new Provider(certificate === undefined ? options : { ...options, certificate })
    this.#others.push(provider)
    await once(provider.session, 'remoteSettings')
    return provider
  }

  async certificate(kind: 'sandbox' | 'production' | 'universal', app = bundleId): Promise<Issued> {
    const issued = await this.#ca.push(kind, app)
    this.authority.setCertificate(issued.serial, 'good')
    return issued
  }

  bearer(ageSeconds = 0, parts: TokenParts = {}): string {
    return `bearer ${signToken(this.keys.privateKey, Math.floor(this.nowMs / 1000) - ageSeconds, parts)}`
  }

  /** A header that is undefined is not sent. */
  request(
    method: string,
    path: string,
    headers: Headers = {},
    body: string | Uint8Array = '',
    provider = this.provider,
  ): Promise<Answer> {
    // One for all requests: a provider that makes many is told to stop.
    this.#authorization ??= this.bearer()
    const authorization = this.#authorization
    return provider.send({ ':method': method, ':path': path, authorization, ...headers } as never, body)
  }

  create(policy: unknown = 1, app = bundleId): Promise<Answer> {
    const body = { 'message-storage-policy': policy, 'push-type': 'LiveActivity' }
    return this.request('POST', `/1/apps/${app}/channels`, {}, JSON.stringify(body))
  }

  async channel(policy = 1, app = bundleId): Promise<string> {
    return String((await this.create(policy, app)).headers['apns-channel-id'])
  }

  read(channelId: string | undefined, app = bundleId): Promise<Answer> {
    return this.request('GET', `/1/apps/${app}/channels`, { 'apns-channel-id': channelId })
  }

  delete(channelId: string | undefined, app = bundleId): Promise<Answer> {
    return this.request('DELETE', `/1/apps/${app}/channels`, { 'apns-channel-id': channelId })
  }

  list(app = bundleId): Promise<Answer> {
    return this.request('GET', `/1/apps/${app}/all-channels`)
  }

  broadcast(
    channelId: string | undefined,
    headers: Headers = {},
    body: string | Uint8Array = update,
  ): Promise<Answer> {
    return this.request(
      'POST',
      `/4/broadcasts/apps/${bundleId}`,
      { ...this.broadcastHeaders(channelId), ...headers },
      body,
    )
  }

  /** Those of a broadcast that a channel with policy 1 accepts and stores. */
  broadcastHeaders(channelId: string | undefined): Headers {
    return {
      'apns-channel-id': channelId,
      'apns-push-type': 'liveactivity',
      'apns-expiration': String(Math.floor(this.nowMs / 1000) + 3600),
    }
  }

  async #openAll(): Promise<void> {
    const file = join(this.#directory, 'service.db')
    this.#database = await openDatabase({ engine: 'sqlite', file, migrations })
    const { authority } = this
    const environment = 'sandbox' as const
    const now = () => this.nowMs
    const random = this.#options.random ?? ((bytes: number) => randomBytes(bytes))
    const onTrouble = (sentence: string) => void this.troubles.push(sentence)
    const fidelity = fidelityOf({ tokenUpdateMinutesMin: 0, ...this.#options.fidelity })
    const shared = { authority, environment, now, random, onTrouble, fidelity }
    const trace = {
      rejected: (push: RejectedPush) => void this.rejections.push(push),
      broadcast: ({ requestId, channelId }: TracedBroadcast, stage: BroadcastStage, devices: number) =>
        void this.traced.push([apnsIdText(requestId), encodeChannelId(channelId), stage, devices]),
    }
    this.#open = await openChannels({ ...shared, database: this.#database, nextTurn, trace })
    this.#gateway = await startGateway({
      ...shared,
      registry: { cachedToken: () => undefined, findToken: (_token, found) => found(undefined, undefined) },
      delivery: { accept: (_notification, context, done) => done(context, 'failed') },
      tls: this.#tls,
      host: '127.0.0.1',
      port: 0,
      channels: this.#open.requests,
    })
    this.provider = await this.connect()
  }

  async #closeAll(): Promise<void> {
    await Promise.all(this.#others.splice(0).map((provider) => provider.close()))
    await this.stopGateway()
    this.#stopping = undefined
    await this.#open.channels.close()
    await this.#database.close()
  }
}

export const update = JSON.stringify({
  aps: { timestamp: 1_700_000_000, event: 'update', 'content-state': { home: 1, away: 0 } },
})

/** A device in memory: notes what it was told. */
export class NotedDevice implements ChannelDevice {
  isConnected = true
  readonly baseToken = new Uint8Array(32).fill(7)
  readonly replies: { id: number; status?: number }[] = []
  readonly messages: SharedMessage[] = []
  #onMessage: (() => void)[] = []

  say(message: Parameters<ChannelDevice['say']>[0]): void {
    this.replies.push(message)
  }

  sayShared(message: SharedMessage): void {
    this.messages.push(message)
    for (const told of this.#onMessage.splice(0)) told()
  }

  /** Resolves when so many messages have come. */
  async has(count: number): Promise<void> {
    while (this.messages.length < count) await new Promise<void>((resolve) => this.#onMessage.push(resolve))
  }
}

/** What a device reads of it. */
export function decoded(message: SharedMessage): MessageOf<'notification'> {
  const reader = new CourierMessageReader({ from: 'courier' })
  reader.push(message.tlv)
  return reader.next() as MessageOf<'notification'>
}
