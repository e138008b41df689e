import type { Authority } from '../authority.ts'
import type { OpenDelivery } from '../delivery/open-delivery.ts'
import { limits } from '../limits.ts'
import type { Registry } from '../registry/registry.ts'
import { AuthorityDeviceTrust, type DeviceTrust } from './device-trust.ts'
import { CourierListener } from './drivers/tls-listener.ts'
import { NonceMemory } from './nonce-memory.ts'
import { type CourierCounters, newCourierCounters, type SessionHost } from './session-host.ts'
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
  readonly now: () => number
  /** Told what could not be done, in one sentence. */
  readonly onTrouble: (sentence: string, cause: unknown) => void
  /** True where absent: the signature form of foreign clients. Ours sign with ECDSA. */
  readonly acceptsRsaSha1?: boolean
  /** False where absent: a device with a strange base token is told the right one. */
  readonly refusesUnknownBaseToken?: boolean
  /** Connections whose device has not proven who it is; that of `limits` where absent. */
  readonly unprovenConnectionsMax?: number
  /** Who may connect; the authority's device CA where absent. */
  readonly trust?: DeviceTrust
}

/** A running courier. */
export interface Courier {
  readonly address: { readonly host: string; readonly port: number }
  readonly counters: Readonly<CourierCounters>
  /** Open connections, whether their device is known yet or not. */
  readonly connections: number
  /** Closes every session and the port. Delivery and store stay open: they belong to the caller. */
  close(): Promise<void>
}

/** Opens the port to which devices connect. Rejects with the system's error where the port cannot be had. */
export async function startCourier(options: CourierOptions): Promise<Courier> {
  const sessions = sessionHost(options)
  const { host, port, tls, unprovenConnectionsMax = limits.unprovenConnectionsMax } = options
  const listener = new CourierListener({ host, port, tls, sessions, unprovenConnectionsMax })
  const address = await listener.listen()
  const stopFollowing = options.authority.onChange((change) => {
    if (change.kind !== 'certificate') return
    if (options.authority.certificateStatus(change.serial) === 'revoked') listener.revoke(change.serial)
  })
  return {
    address,
    counters: sessions.counters,
    get connections() {
      return listener.connections
    },
    async close() {
      stopFollowing()
      await listener.close()
    },
  }
}

/** What the sessions of a courier share; apart from `startCourier` for transports other than TLS. */
export function sessionHost(options: Omit<CourierOptions, 'host' | 'port' | 'tls'>): SessionHost {
  const { delivery } = options
  return {
    rules: {
      trust: options.trust ?? new AuthorityDeviceTrust(options.authority),
      nonces: new NonceMemory(),
      acceptsRsaSha1: options.acceptsRsaSha1 ?? true,
    },
    registry: options.registry,
    attach: (device, link) => delivery.attach(device, link),
    hashes: new TopicHashes(),
    now: options.now,
    refusesUnknownBaseToken: options.refusesUnknownBaseToken ?? false,
    counters: newCourierCounters(),
    onTrouble: options.onTrouble,
  }
}
