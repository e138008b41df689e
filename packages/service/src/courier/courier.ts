import type { Authority } from '../authority.ts'
import type { OpenDelivery } from '../delivery/open-delivery.ts'
import type { WatchServer } from '../faults/drivers/watch-listener.ts'
import { limits } from '../limits.ts'
import type { Registry } from '../registry/registry.ts'
import { steadyClock } from '../steady-clock.ts'
import type { AdmissionCounters, AdmissionOptions } from './admission.ts'
import type { CourierCommons } from './commons.ts'
import type { DeviceHooks } from './connected-device.ts'
import type { DeviceConnection } from './device-connection.ts'
import { AuthorityDeviceTrust, type DeviceTrust } from './device-trust.ts'
import { type DrainOptions, drainListeners } from './drivers/drain.ts'
import { later } from './drivers/later.ts'
import type { DeviceListener } from './drivers/listener.ts'
import { openCourierCommons } from './drivers/open-commons.ts'
import { tlsListener } from './drivers/tls-listener.ts'
import { webSocketListener } from './drivers/websocket-listener.ts'
import { keepAliveOf } from './keep-alive.ts'
import {
  type CourierCounters,
  type KeepAliveBounds,
  newCourierCounters,
  type SessionHost,
} from './session-host.ts'
import { TopicHashes } from './topic-hashes.ts'

export interface CourierOptions {
  readonly host: string
  /** 0: chosen by the system. */
  readonly port: number
  /** Server certificate (with chain) and key, PEM. */
  readonly tls: { readonly certPem: string; readonly keyPem: string }
  readonly authority: Authority
  readonly registry: Pick<Registry, 'enrolDevice' | 'issueToken' | 'topicOf'>
  readonly delivery: Pick<OpenDelivery, 'attach'>
  /** Parts that serve devices beside notifications: channels, power, reports. */
  readonly hooks?: DeviceHooks
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
  /** Told what could not be done, in one sentence. */
  readonly onTrouble: (sentence: string, cause: unknown) => void
  /** True where absent: the signature form of foreign clients. Ours sign with ECDSA. */
  readonly acceptsRsaSha1?: boolean
  /** False where absent: a device with a strange base token is told the right one. */
  readonly refusesUnknownBaseToken?: boolean
  /** How fast devices are let in, where `commons` is absent. */
  readonly admission?: AdmissionOptions
  /** What it shares with other couriers of the process; its own where absent. */
  readonly commons?: CourierCommons
  readonly keepAlive?: Partial<KeepAliveBounds>
  /** Is handed the server of the TLS port, to make trouble on purpose. */
  readonly watchServer?: WatchServer
  /** Who may connect; the authority's device CA where absent. */
  readonly trust?: DeviceTrust
}

/** A running courier. */
export interface Courier {
  readonly address: { readonly host: string; readonly port: number }
  readonly counters: Readonly<CourierCounters>
  /** Of the process, where it shares its admission. */
  readonly admission: Readonly<AdmissionCounters> & { readonly waiting: number; readonly unproven: number }
  /** The connections of devices that are known, `countMax` of them at most. */
  devices(countMax: number): DeviceConnection[]
  /** Open connections, whether their device is known yet or not. */
  readonly connections: number
  /**
   * Sends all devices to another courier, from then on also those that come, or away to come back here later. Spread
   * over the time that is given. Resolves when the last one has been told.
   */
  drain(options: DrainOptions): Promise<void>
  /** Opens a port for the same protocol over WebSocket, for browsers. Rejects as `startCourier`. */
  listenWebSocket(port: number): Promise<{ readonly host: string; readonly port: number }>
  /** Closes every session and the ports. Delivery and store stay open: they belong to the caller. */
  close(): Promise<void>
}

/** Time for devices to take what was written before the courier stops. */
const lingerMs = 2000

/** Opens the port to which devices connect. Rejects with the system's error where it cannot be had. */
export async function startCourier(options: CourierOptions): Promise<Courier> {
  const commons = options.commons ?? openCourierCommons(options.admission ?? {}, options.now)
  const { admission } = commons
  const sessions = sessionHost(options, commons)
  const { host, port, tls } = options
  const listeners: DeviceListener[] = []
  const opened = async (listener: DeviceListener) => {
    const address = await listener.listen()
    listeners.push(listener)
    return address
  }
  const address = await opened(
    tlsListener({ host, port, tls, sessions, admission, watchServer: options.watchServer }),
  )
  const connections = () => listeners.reduce((sum, each) => sum + each.connections.size, 0)
  const stopFollowing = options.authority.onChange((change) => {
    if (change.kind !== 'certificate') return
    if (options.authority.certificateStatus(change.serial) !== 'revoked') return
    for (const { connections } of listeners) connections.each(({ session }) => session.revoked(change.serial))
  })
  return {
    address,
    counters: sessions.counters,
    get admission() {
      return { ...admission.counters, waiting: admission.waiting, unproven: admission.unproven }
    },
    devices(countMax) {
      const described: DeviceConnection[] = []
      for (const { connections } of listeners) {
        connections.each(({ session }) => {
          const connection = described.length < countMax ? session.describe() : undefined
          if (connection !== undefined) described.push(connection)
        })
      }
      return described
    },
    get connections() {
      return connections()
    },
    listenWebSocket: (webSocketPort) =>
      opened(
        webSocketListener({
          ...{ host, port: webSocketPort, tls, sessions, admission },
          watchServer: options.watchServer,
        }),
      ),
    drain: (drain) => drainListeners(listeners, sessions, drain),
    async close() {
      stopFollowing()
      // All come back at once, to whoever serves them then: at the rate at which they can be let in.
      sessions.drain ??= { retryMsMax: returnMs(connections(), admission.handshakesPerSecond) }
      await closeListeners(listeners, sessions)
    },
  }
}

function returnMs(devices: number, perSecond: number): number {
  return Math.min(limits.retrySpreadMsMax, Math.ceil((devices * 1000) / perSecond))
}

async function closeListeners(listeners: readonly DeviceListener[], sessions: SessionHost): Promise<void> {
  const closed = Promise.all(listeners.map((listener) => listener.close()))
  for (const { connections } of listeners) connections.each(({ session }) => session.leave('shutdown'))
  let isLingering = true
  sessions.later(() => {
    if (isLingering) for (const listener of listeners) listener.cut()
  }, lingerMs)
  await closed
  isLingering = false
}

/** What the sessions of a courier share. */
export function sessionHost(
  options: Omit<CourierOptions, 'host' | 'port' | 'tls'>,
  commons: Pick<CourierCommons, 'nonces'>,
): SessionHost {
  const { delivery, random } = options
  return {
    rules: {
      trust: options.trust ?? new AuthorityDeviceTrust(options.authority),
      nonces: commons.nonces,
      acceptsRsaSha1: options.acceptsRsaSha1 ?? true,
    },
    registry: options.registry,
    attach: (device, link) => delivery.attach(device, link),
    hooks: options.hooks ?? {},
    hashes: new TopicHashes(),
    now: options.now,
    steadyNow: steadyClock(options.now),
    spread: () => {
      const [high = 0, low = 0] = random(2)
      return (high * 256 + low) / 65_536
    },
    later,
    drain: undefined,
    keepAlive: keepAliveOf(options.keepAlive),
    refusesUnknownBaseToken: options.refusesUnknownBaseToken ?? false,
    counters: newCourierCounters(),
    onTrouble: options.onTrouble,
  }
}
