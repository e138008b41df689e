import assert from 'node:assert/strict'
import { type Listener, listen } from '@carillon/http2'
import { errorBody, reasons } from '@carillon/wire'
import type { Authority } from '../authority.ts'
import type { Delivery } from '../delivery/delivery.ts'
import { limits } from '../limits.ts'
import type { Registry } from '../registry/registry.ts'
import { ApnsIds } from './apns-ids.ts'
import { clientCertificateOf } from './certificate-credentials.ts'
import type { Gateway } from './gateway.ts'
import { GatewayConnection } from './gateway-connection.ts'
import { ProviderTokens } from './provider-tokens.ts'

export interface GatewayOptions {
  readonly environment: 'sandbox' | 'production'
  readonly authority: Authority
  readonly registry: Pick<Registry, 'cachedToken' | 'findToken'>
  readonly delivery: Delivery
  readonly tls: { readonly certPem: string; readonly keyPem: string }
  readonly host: string
  readonly port: number
  /** See `ServiceOptions.streamsBeforeToken`. */
  readonly streamsBeforeToken?: number
  /** Told of faults of the gateway itself, each of which ends one connection; nobody where absent. */
  readonly onTrouble?: (sentence: string, cause: unknown) => void
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
}

export interface RunningGateway {
  readonly host: string
  readonly port: number
  /** GOAWAY with the reason Shutdown; resolves when every request is answered and every connection ended. */
  close(): Promise<void>
}

/** Listens for providers, over HTTP/2 and TLS. */
export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  const { authority, environment, now } = options
  const streamsBeforeToken = options.streamsBeforeToken ?? limits.streamsBeforeTokenDefault
  // With 0 nobody could ever show a token, and the first connection would be too late to find out.
  assert(
    Number.isInteger(streamsBeforeToken) && streamsBeforeToken >= 1,
    `streamsBeforeToken is ${streamsBeforeToken}: give a whole number from 1`,
  )
  const gateway: Gateway = {
    environment,
    authority,
    registry: options.registry,
    delivery: options.delivery,
    providerTokens: new ProviderTokens(authority, environment),
    apnsIds: new ApnsIds(options.random),
    now,
    onTrouble: options.onTrouble ?? (() => {}),
    streamsBeforeToken,
    changes: 0,
    isClosing: false,
  }
  const unsubscribe = authority.onChange(() => {
    gateway.changes += 1
  })
  const release = (): void => {
    unsubscribe()
    gateway.providerTokens.close()
  }
  let listener: Listener
  try {
    listener = await listen(
      tlsOptions(options),
      (socket) => new GatewayConnection(gateway, clientCertificateOf(socket)).http2,
    )
  } catch (cause) {
    release()
    throw cause
  }
  listener.server.maxConnections = limits.providerConnectionsMax
  return {
    host: listener.host,
    port: listener.port,
    async close() {
      gateway.isClosing = true
      await listener.close(errorBody(reasons.Shutdown))
      release()
    },
  }
}

function tlsOptions(options: GatewayOptions) {
  return {
    host: options.host,
    port: options.port,
    cert: options.tls.certPem,
    key: options.tls.keyPem,
    ca: [...options.authority.pushCaPem],
    // A certificate is asked for and not needed: without one, requests authenticate by provider tokens; a bad one
    // is answered BadCertificate, which tells more than a broken handshake.
    requestCert: true,
    rejectUnauthorized: false,
    // Apple: "Sending notification requests to APNs": TLS 1.2 or later.
    minVersion: 'TLSv1.2' as const,
    handshakeTimeout: limits.providerHandshakeMsMax,
  }
}
