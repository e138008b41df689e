import { constants, createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import {
  type CourierMessage,
  CourierMessageReader,
  courierPresence,
  encodeCourierMessage,
  encodeNonce,
  encodeSignature,
  type MessageFromCourier,
  type MessageOf,
  topicHash,
} from '@carillon/wire'
import { type CourierOptions, sessionHost } from '../../src/courier/courier.ts'
import type { DeviceTrust } from '../../src/courier/device-trust.ts'
import { CourierSession } from '../../src/courier/session.ts'
import type { SessionHost, SessionLink } from '../../src/courier/session-host.ts'
import type { DeviceInbox, DeviceLink } from '../../src/delivery/device-link.ts'
import type { DeviceRecord, TokenRecord } from '../../src/registry/registry.ts'
import { MemoryAuthority } from '../memory-authority.ts'
import { nowMs } from '../store/store-fixture.ts'

export const topic = 'dev.example.app'
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
}

export function courierWorld(options: WorldOptions = {}): CourierWorld {
  const inboxes: NotedInbox[] = []
  const clock = { nowMs }
  const tokenRequests: CourierWorld['tokenRequests'] = []
  const troubles: string[] = []
  const host = sessionHost({
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
      topicOf: (hash) =>
        Buffer.compare(hash, topicHash(topic)) === 0 ? { bundleId: topic, topic } : undefined,
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
  })
  return { host, inboxes, clock, tokenRequests, troubles }
}

export function tokenRecordOf(tokenBytes: Uint8Array): TokenRecord {
  const token = Buffer.from(tokenBytes).toString('hex')
  return { token, tokenBytes, device: 7, bundleId: topic, topic, inactiveSinceMs: 0 }
}

/** The far end of a session in memory. */
export class Peer implements SessionLink {
  readonly session: CourierSession
  /** Whole frames as they were written. */
  readonly frames: Uint8Array[] = []
  closedFor: string | undefined
  isKnown = false
  readonly #world: CourierWorld
  #read = 0

  constructor(world: CourierWorld) {
    this.#world = world
    this.session = new CourierSession(world.host, this, world.clock.nowMs)
  }

  write(frame: Uint8Array): void {
    this.frames.push(frame)
  }

  known(): void {
    this.isKnown = true
  }

  close(reason: string): void {
    this.closedFor = reason
  }

  bytes(bytes: Uint8Array): void {
    this.session.receive(bytes, this.#world.clock.nowMs)
  }

  say(message: CourierMessage): void {
    this.bytes(encodeCourierMessage(message))
  }

  /** What came since the last call. */
  hear(): MessageFromCourier[] {
    const reader = new CourierMessageReader({ from: 'courier' })
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

let nonces = 0

export function connectMessage(
  timeMs: number,
  fields: Partial<MessageOf<'connect'>> = {},
): MessageOf<'connect'> {
  const random = new Uint8Array(8)
  new DataView(random.buffer).setUint32(0, ++nonces)
  const nonce = encodeNonce({ timeMs, random })
  const signature = encodeSignature({
    scheme: 'ecdsa-p256-sha256',
    signature: sign('sha256', nonce, deviceKey),
  })
  return {
    type: 'connect',
    state: courierPresence.present,
    flags: 0x41,
    certificates: [Buffer.from('phone')],
    nonce,
    signature,
    ...fields,
  }
}

export function rsaSignature(nonce: Uint8Array, key: KeyObject): Uint8Array {
  const signature = sign('sha1', nonce, {
    key: createPrivateKey(key.export({ type: 'pkcs8', format: 'pem' })),
    padding: constants.RSA_PKCS1_PADDING,
  })
  return encodeSignature({ scheme: 'rsa-sha1', signature })
}

/** Promises that were settled have run their continuations. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
