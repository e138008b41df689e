import type { SecureContext } from 'node:tls'
import type { ClientConnection } from '@carillon/http2'
import type { ProxyTarget } from './proxy.ts'

/** Where connections of a client go. */
export interface Target {
  readonly host: string
  readonly port: number
  /** The name that the service's certificate must carry; also sent as SNI. */
  readonly serverName: string
  readonly secureContext: SecureContext
  /** Whether the handshake names HTTP/2; without that the service has to know it from the first bytes. */
  readonly alpn: boolean
  /** False: any certificate is taken. Only programs that move over from a client with this option ask for it. */
  readonly rejectUnauthorized?: boolean
  readonly proxy: ProxyTarget | undefined
  /** For DNS, TCP and the TLS handshake. */
  readonly connectMsMax: number
}

/** What carries the bytes of one connection. */
export interface Transport {
  /** Cuts it; the connection's `onEnd` follows. */
  destroy(): void
  /** Whether it keeps the process alive. */
  ref(): void
  unref(): void
}

/** One timer that is armed again after each tick. */
export interface Ticker {
  /** Ticks once after `delayMs`; replaces what was armed. With `keepsAlive` the process stays until then. */
  arm(delayMs: number, keepsAlive: boolean): void
  stop(): void
}

/** The world outside of a client: clock, randomness, timers, network. */
export interface Runtime {
  /** Milliseconds since 1970. */
  now(): number
  random(bytes: number): Uint8Array
  ticker(onTick: () => void): Ticker
  /** Calls back soon, before timers and network events. */
  soon(callback: () => void): void
  /** Opens the transport of a connection; resolves the host name anew each time. */
  connect<C>(target: Target, connection: ClientConnection<C>): Transport
}
