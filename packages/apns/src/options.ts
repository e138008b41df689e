import { appleHosts, applePorts, type Environment, isEnvironment } from '@carillon/wire'
import { type Auth, identityOf } from './credentials.ts'
import { ArgumentError, kindOf } from './errors.ts'
import { DEFAULT_LIMITS, type Limits } from './limits.ts'
import type { Target } from './runtime.ts'
import type { TokenSigner } from './token-signer.ts'

/** How to reach a push service, and as whom. */
export interface PushClientOptions {
  readonly auth: Auth
  /** Chooses Apple's host. A token of one environment is a BadDeviceToken in the other. */
  readonly environment: Environment
  /** Another service than Apple's, or a proxy of it. */
  readonly host?: string
  /** Default: 443 for Apple's hosts, which listen on 2197 too; a host of your own needs its port. */
  readonly port?: number
  /** PEM of the authorities to trust instead of those of Node. */
  readonly ca?: string | Uint8Array | readonly string[]
  /** The name in the service's certificate, where it is not `host`. */
  readonly serverName?: string
  /** Bounds that differ from DEFAULT_LIMITS. */
  readonly limits?: Partial<Limits>
}

/** Options that were checked. */
export interface ResolvedOptions {
  readonly environment: Environment
  readonly target: Target
  readonly authority: string
  readonly signer: TokenSigner | undefined
  readonly limits: Limits
}

/** Checks the options and fills in defaults. Throws ArgumentError with the name of the option. */
export const resolveOptions = (options: PushClientOptions): ResolvedOptions => {
  if (typeof options !== 'object' || options === null) {
    throw new ArgumentError('options', `give { auth, environment }, not ${kindOf(options)}`)
  }
  const { environment } = options
  if (!isEnvironment(environment)) {
    throw new ArgumentError('environment', `'sandbox' for development builds of an app, else 'production'`)
  }
  const host = options.host ?? appleHosts[environment].http2
  if (typeof host !== 'string' || host === '') throw new ArgumentError('host', 'give a name or address')
  const port = options.port ?? applePorts[environment].http2
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new ArgumentError('port', 'give a number from 1 to 65535')
  }
  const serverName = options.serverName ?? host
  if (typeof serverName !== 'string' || serverName === '') {
    throw new ArgumentError('serverName', 'give the name in the certificate of the service, or leave it out')
  }
  const { signer, secureContext } = identityOf(options.auth, options.ca)
  const limits = resolveLimits(options.limits ?? {})
  return {
    environment,
    target: { host, port, serverName, secureContext, connectMsMax: limits.connectMsMax },
    // RFC 9113 §8.3.1, RFC 9110 §4.2.2: the default port of https is left out.
    authority: port === 443 ? host : `${host}:${port}`,
    signer,
    limits,
  }
}

/** Limits that mean something when they are 0. */
const mayBeZero: readonly string[] = [
  'queuedMax',
  'queuedMsMax',
  'resendsMax',
  'growthMsMin',
  'closeMsMax',
] satisfies (keyof Limits)[]

const resolveLimits = (given: Partial<Limits>): Limits => {
  const limits: Limits = { ...DEFAULT_LIMITS }
  for (const [name, value] of Object.entries(given)) {
    if (!(name in DEFAULT_LIMITS)) throw new ArgumentError(`limits.${name}`, 'there is no such limit')
    if (value === undefined) continue
    const least = mayBeZero.includes(name) ? 0 : 1
    if (!Number.isInteger(value) || value < least) {
      throw new ArgumentError(`limits.${name}`, `give a whole number, ${least} or more`)
    }
    limits[name as keyof Limits] = value
  }
  return limits
}
