import {
  type CourierMessage,
  CourierMessageReader,
  encodeCourierMessage,
  type MessageFromDevice,
  type MessageOf,
} from '@carillon/wire'
import { CourierSession, type SessionEnd, type TokenRequest } from '../../src/session/courier-session.ts'
import { HandledNotifications } from '../../src/session/handled-notifications.ts'
import type { DeviceIdentity } from '../../src/session/identity.ts'

export const startMs = 1_800_000_000_000
export const baseToken = new Uint8Array(32).fill(0xa0)

export const identity: DeviceIdentity = {
  udid: '00008110-0000000000000001',
  certificates: [Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5)],
  sign: (bytes) => Uint8Array.of(0x51, ...bytes.subarray(0, 3)),
}

/** A session with a courier in memory: what the device sends is read here, what it reports is kept. */
export class SessionWorld {
  readonly session: CourierSession
  /** Frames of the device, hex, in order. */
  readonly frames: string[] = []
  readonly sent: MessageFromDevice[] = []
  readonly notifications: MessageOf<'notification'>[] = []
  readonly tokens: { request: TokenRequest; token: Uint8Array | undefined }[] = []
  readonly ends: SessionEnd[] = []
  connected: { token: Uint8Array | undefined; timeMs: number | undefined }[] = []
  readonly channelReplies: MessageOf<'channelsReply'>[] = []
  storageEmpty = 0
  nowMs = startMs
  readonly #reader = new CourierMessageReader({ from: 'device' })

  constructor(
    token?: Uint8Array,
    who: DeviceIdentity = identity,
    handled: HandledNotifications = new HandledNotifications(),
  ) {
    this.session = new CourierSession(
      who,
      token,
      {
        send: (bytes) => this.#heard(bytes),
        connected: (base, timeMs) => void this.connected.push({ token: base, timeMs }),
        token: (request, appToken) => void this.tokens.push({ request, token: appToken }),
        notification: (message) => void this.notifications.push(message),
        channels: (reply) => void this.channelReplies.push(reply),
        storageEmpty: () => void this.storageEmpty++,
        ended: (end) => void this.ends.push(end),
      },
      this.nowMs,
      handled,
    )
  }

  /** Started and accepted. */
  static connected(
    fields: Partial<MessageOf<'connected'>> = {},
    handled?: HandledNotifications,
  ): SessionWorld {
    const world = new SessionWorld(undefined, identity, handled)
    world.session.start({ clockMs: startMs, random: new Uint8Array(8) })
    world.say({ type: 'connected', status: 0, token: baseToken, ...fields })
    world.sent.length = 0
    world.frames.length = 0
    return world
  }

  /** The courier says something. */
  say(...messages: readonly CourierMessage[]): void {
    for (const message of messages) this.session.receive(encodeCourierMessage(message), this.nowMs)
  }

  /** Time passes. */
  pass(ms: number): void {
    this.nowMs += ms
    this.session.tick(this.nowMs)
  }

  #heard(bytes: Uint8Array): void {
    this.frames.push(Buffer.from(bytes).toString('hex'))
    this.#reader.push(bytes.slice())
    for (let message = this.#reader.next(); message; message = this.#reader.next()) this.sent.push(message)
  }
}
