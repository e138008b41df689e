import type { SecureContext } from 'node:tls'
import { appleHosts, applePorts, type Environment } from '@carillon/wire'
import { checkAddress, checkEnvironment } from '../address.ts'
import type { CertificateAuth, P12Auth } from '../auth.ts'
import { identityOf } from '../credentials.ts'
import { ArgumentError, kindOf } from '../errors.ts'

/** How to reach a service of the original protocol. It takes push certificates only; they name the app, too. */
export interface LegacyOptions {
  readonly auth: CertificateAuth | P12Auth
  /** Chooses Apple's former host where `host` is absent; the certificate must be for it. */
  readonly environment: Environment
  /** The service. Apple's hosts have not answered since March 2021. */
  readonly host?: string
  /** Default: 2195 for notifications, 2196 for feedback. */
  readonly port?: number
  /** PEM of the authorities to trust instead of those of Node. */
  readonly ca?: string | Uint8Array | readonly string[]
  /** The name in the service's certificate, where it is not `host`. */
  readonly serverName?: string
  /** Milliseconds for DNS, TCP and TLS; then the attempt counts as failed. Default 10,000. */
  readonly connectMsMax?: number
}

/** Options that were checked. */
export interface LegacyTarget {
  readonly host: string
  readonly port: number
  readonly serverName: string
  readonly secureContext: SecureContext
  readonly connectMsMax: number
  /** Milliseconds without a byte of the service, while some are expected; undefined: it may be silent. */
  readonly silentMsMax?: number | undefined
}

/** @throws ArgumentError with the name of the option */
export function legacyTargetOf(options: LegacyOptions, service: 'binary' | 'feedback'): LegacyTarget {
  if (typeof options !== 'object' || options === null) {
    throw new ArgumentError('options', `give { auth, environment }, not ${kindOf(options)}`)
  }
  const { auth, environment, connectMsMax = 10_000 } = options
  checkEnvironment(environment)
  if ((auth as { type?: unknown } | undefined)?.type === 'token') {
    throw new ArgumentError('auth', 'the original protocol knows no auth keys: give a push certificate')
  }
  const host = options.host ?? appleHosts[environment][service]
  const port = options.port ?? applePorts[environment][service]
  checkAddress('', host, port)
  if (!Number.isInteger(connectMsMax) || connectMsMax < 1) {
    throw new ArgumentError('connectMsMax', 'give a whole number, 1 or more')
  }
  const { secureContext } = identityOf(auth, options.ca)
  return { host, port, serverName: options.serverName ?? host, secureContext, connectMsMax }
}
