import { appleHostOf, appleHosts, applePorts, type Environment } from '@carillon/wire'
import { checkAddress, checkEnvironment } from './address.ts'
import type { Auth } from './auth.ts'
import { identityOf } from './credentials.ts'
import { ArgumentError, kindOf } from './errors.ts'
import { DEFAULT_LIMITS, type Limits } from './limits.ts'
import { type ProxyOptions, resolveProxy } from './proxy.ts'
import { resolveLimits } from './resolve-limits.ts'
import { type ResolvedRetry, type RetryOptions, resolveRetry } from './retry-options.ts'
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
  /** False: the handshake does not offer `h2`, for a service behind something that knows no ALPN. Default true. */
  readonly alpn?: boolean
  /** An HTTP proxy to tunnel through. CA, server name and client certificate are those of the service, unchanged. */
  readonly proxy?: string | URL | ProxyOptions | undefined
  /** Automatic retries after a pause; false: every failure is reported at once. Default: see `RetryOptions`. */
  readonly retry?: RetryOptions | false
  /** Where channels are managed, if not at Apple's host for that, or with `host` beside the device pushes. */
  readonly channels?: ChannelsAddress
  /** Bounds that differ from DEFAULT_LIMITS. */
  readonly limits?: Partial<Limits>
}

/** Another host or port for channel management. */
export interface ChannelsAddress {
  readonly host?: string
  readonly port?: number
  readonly serverName?: string
}

/** Options that were checked. */
export interface ResolvedOptions {
  readonly environment: Environment
  readonly target: Target
  /** The same as `target` where channel management is at the same address. */
  readonly channelsTarget: Target
  readonly retry: ResolvedRetry
  readonly signer: TokenSigner | undefined
  readonly limits: Limits
}

/** Checks the options and fills in defaults. Throws ArgumentError with the name of the option. */
export const resolveOptions = (options: PushClientOptions): ResolvedOptions => {
  if (typeof options !== 'object' || options === null) {
    throw new ArgumentError('options', `give { auth, environment }, not ${kindOf(options)}`)
  }
  const { environment } = options
  checkEnvironment(environment)
  const isApple = options.host === undefined || appleHostOf(options.host) !== undefined
  const host = options.host ?? appleHosts[environment].http2
  const port = options.port ?? applePorts[environment].http2
  const serverName = options.serverName ?? host
  checkAddress('', host, port)
  checkServerName('', serverName)
  const { signer, secureContext } = identityOf(options.auth, options.ca)
  const limits: Limits = resolveLimits(DEFAULT_LIMITS, options.limits ?? {}, isZeroThatMeansSomething)
  const target: Target = {
    ...{ host, port, serverName, secureContext },
    connectMsMax: limits.connectMsMax,
    alpn: options.alpn ?? true,
    proxy: options.proxy === undefined ? undefined : resolveProxy(options.proxy),
  }
  return {
    environment,
    target,
    channelsTarget: channelsTargetOf(options.channels, target, environment, isApple),
    retry: resolveRetry(options.retry, isApple),
    signer,
    limits,
  }
}

const channelsTargetOf = (
  given: ChannelsAddress | undefined,
  target: Target,
  environment: Environment,
  isApple: boolean,
): Target => {
  if (given === undefined && !isApple) return target
  const host = given?.host ?? (isApple ? appleHosts[environment].channels : target.host)
  const port = given?.port ?? (isApple ? applePorts[environment].channels : target.port)
  const ownName = host === target.host ? target.serverName : host
  const serverName = given?.serverName ?? ownName
  checkAddress('channels.', host, port)
  checkServerName('channels.', serverName)
  return { ...target, host, port, serverName }
}

const checkServerName = (prefix: string, serverName: unknown): void => {
  if (typeof serverName !== 'string' || serverName === '') {
    throw new ArgumentError(
      `${prefix}serverName`,
      'give the name in the certificate of the service, or leave it out',
    )
  }
}

/** RFC 9113 §8.3.1, RFC 9110 §4.2.2: the default port of https is left out. */
export const authorityOf = ({ host, port }: Target): string => (port === 443 ? host : `${host}:${port}`)

/** Limits that mean something when they are 0. */
const mayBeZero: readonly (keyof Limits)[] = [
  'queuedMax',
  'queuedMsMax',
  'resendsMax',
  'growthMsMin',
  'closeMsMax',
]

const isZeroThatMeansSomething = (name: keyof Limits, value: number): boolean =>
  value === 0 && mayBeZero.includes(name)
