import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import {
  type CourierFraming,
  type CourierMessage,
  courierFraming,
  courierPresence,
  type MessageFromCourier,
  type MessageOf,
  topicHash,
} from '@carillon/wire'
import { type CourierOptions, sessionHost } from '../../src/courier/courier.ts'
import type { DeviceTrust } from '../../src/courier/device-trust.ts'
import { NonceMemory } from '../../src/courier/nonce-memory.ts'
import { CourierSession } from '../../src/courier/session.ts'
import type { SessionHost, SessionLink } from '../../src/courier/session-host.ts'
import type { DeviceInbox, DeviceLink } from '../../src/delivery/device-link.ts'
import type { DeviceRecord, TokenRecord } from '../../src/registry/registry.ts'
import { MemoryAuthority } from '../memory-authority.ts'
import { nowMs } from '../store/store-fixture.ts'
import { proofOf } from './device-proof.ts'

export const topic = 'dev.example.app'
/** The hash of `topic`. */
export const hash = topicHash(topic)
export const baseToken = new Uint8Array(32).fill(0xb0)

const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
export const deviceKey: KeyObject = keys.privateKey

/** Takes the certificate's bytes for the device id. */
export const plainTrust: DeviceTrust = {
  identify: ([certificate]) =>
    certificate === undefined
      ? 'certificate unreadable'
      : { deviceId: Buffer.from(certificate).toString(), publicKey: keys.publicKey, serial: '01' },
}

/** What a session asked of delivery. */
export class NotedInbox implements DeviceInbox {
  readonly calls: string[] = []
  readonly link: DeviceLink
  constructor(link: DeviceLink) {
    this.link = link
  }
  handled(apnsIds: readonly Uint8Array[]): void {
    this.calls.push(`handled ${apnsIds.map((id) => id[0]).join(' ')}`)
  }
  topicsChanged(): void {
    this.calls.push('topics')
  }
  acknowledged(id: number, status: number): void {
    this.calls.push(`ack ${id} ${status}`)
  }
  close(): void {
    this.calls.push('close')
  }
}

export interface CourierWorld {
  readonly host: SessionHost
  readonly inboxes: NotedInbox[]
  readonly clock: { nowMs: number }
  /** Requests to the registry, answered by the test where `answersTokens` is false. */
  readonly tokenRequests: {
    device: number
    installation: Uint8Array | undefined
    answer: (record?: TokenRecord) => void
    fail: () => void
  }[]
  readonly troubles: string[]
}

export interface WorldOptions
  extends Partial<Pick<CourierOptions, 'acceptsRsaSha1' | 'refusesUnknownBaseToken' | 'trust'>> {
  readonly baseTokenOf?: (deviceId: string) => Uint8Array
  /** The token for each request, in order; where absent the test answers. */
  readonly tokens?: readonly Uint8Array[]
  readonly enrol?: () => Promise<DeviceRecord>
  readonly hooks?: CourierOptions['hooks']
  readonly nonces?: NonceMemory
}

export function courierWorld(options: WorldOptions = {}): CourierWorld {
  const inboxes: NotedInbox[] = []
  const clock = { nowMs }
  const tokenRequests: CourierWorld['tokenRequests'] = []
  const troubles: string[] = []
  const shared = sessionHost(
    {
      authority: new MemoryAuthority(),
      trust: options.trust ?? plainTrust,
      registry: {
        enrolDevice: async (deviceId) =>
          options.enrol?.() ?? { id: 7, deviceId, baseToken: options.baseTokenOf?.(deviceId) ?? baseToken },
        issueToken: (device, _hash, installation) =>
          new Promise((answer, reject) => {
            const given = options.tokens?.[tokenRequests.length]
            tokenRequests.push({ device, installation, answer, fail: () => reject(new Error('no disk')) })
            if (given !== undefined) answer(tokenRecordOf(given))
          }),
        topicOf: (asked) => (Buffer.compare(asked, hash) === 0 ? { bundleId: topic, topic } : undefined),
      },
      delivery: {
        attach: (_device, link) => {
          const inbox = new NotedInbox(link)
          inboxes.push(inbox)
          return inbox
        },
      },
      now: () => clock.nowMs,
      onTrouble: (sentence) => void troubles.push(sentence),
      ...(options.acceptsRsaSha1 === undefined ? {} : { acceptsRsaSha1: options.acceptsRsaSha1 }),
      ...(options.refusesUnknownBaseToken === undefined
        ? {}
        : { refusesUnknownBaseToken: options.refusesUnknownBaseToken }),
      hooks: options.hooks ?? {},
      random: (bytes) => new Uint8Array(bytes).fill(0x80),
    },
    { nonces: options.nonces ?? new NonceMemory() },
  )
  const host = { ...shared, steadyNow: () => clock.nowMs }
  return { host, inboxes, clock, tokenRequests, troubles }
}

export function tokenRecordOf(tokenBytes: Uint8Array): TokenRecord {
  const token = Buffer.from(tokenBytes).toString('hex')
  return { token, tokenBytes, device: 7, bundleId: topic, topic, inactiveSinceMs: 0, askedDay: 19_000 }
}

/** The far end of a session in memory. */
export class Peer implements SessionLink {
  readonly session: CourierSession
  /** Whole frames as they were written. */
  readonly frames: Uint8Array[] = []
  closedFor: string | undefined
  isKnown = false
  /** What the session asked to be ticked in. */
  dueInMs: number | undefined
  readonly #world: CourierWorld
  readonly #framing: CourierFraming<'courier'>
  #read = 0

  constructor(world: CourierWorld, alpn = '') {
    this.#world = world
    this.#framing = courierFraming('courier', alpn)
    this.session = new CourierSession(world.host, this, alpn)
  }

  write(frame: Uint8Array): void {
    this.frames.push(frame)
  }

  known(): void {
    this.isKnown = true
  }

  dueIn(delayMs: number): void {
    this.dueInMs = delayMs
  }

  close(reason: string): void {
    this.closedFor = reason
  }

  bytes(bytes: Uint8Array): void {
    this.session.receive(bytes, this.#world.clock.nowMs)
  }

  say(message: CourierMessage): void {
    this.bytes(this.#framing.encode(message))
  }

  /** What came since the last call. */
  hear(): MessageFromCourier[] {
    const reader = this.#framing
    for (const frame of this.frames.slice(this.#read)) reader.push(frame)
    this.#read = this.frames.length
    const messages: MessageFromCourier[] = []
    for (let message = reader.next(); message !== undefined; message = reader.next()) messages.push(message)
    return messages
  }

  /** Connects as the device `phone` and takes the answer. */
  async connect(fields: Partial<MessageOf<'connect'>> = {}): Promise<MessageOf<'connected'>> {
    this.say(connectMessage(this.#world.clock.nowMs, fields))
    await settled()
    return this.hear()[0] as MessageOf<'connected'>
  }
}

/** How the device `phone` introduces itself. */
export function connectMessage(
  timeMs: number,
  fields: Partial<MessageOf<'connect'>> = {},
): MessageOf<'connect'> {
  return {
    type: 'connect',
    state: courierPresence.present,
    flags: 0x41,
    certificates: [Buffer.from('phone')],
    ...proofOf(deviceKey, timeMs),
    ...fields,
  }
}

/** A world with a device that is connected, and its place in delivery. */
export async function connected(options: WorldOptions = {}, fields: Partial<MessageOf<'connect'>> = {}) {
  const world = courierWorld(options)
  const peer = new Peer(world)
  await peer.connect(fields)
  return { world, peer, inbox: world.inboxes[0]! }
}

/** Promises that were settled have run their continuations. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
