import { appleHosts, applePorts, type Environment } from '@carillon/wire'
import type { Limits } from '../../limits.ts'
import type { PushClientOptions } from '../../options.ts'
import { authOf, readMaterial } from './credentials.ts'
import type { ProviderOptions } from './provider-options.ts'

/** For pushes and broadcasts, and for channel management, which has a client of its own as in the original. */
export interface ClientOptions {
  readonly pushes: PushClientOptions
  readonly channels: PushClientOptions
  readonly verifies: boolean
}

/** Longest time that a timer of Node takes. */
const msMax = 2 ** 31 - 1

/** Options of the original as those of clients. `now`: milliseconds since 1970. */
export const clientOptionsOf = (
  given: ProviderOptions,
  connectionsMax: number,
  now: number,
): ClientOptions => {
  const options = withoutNull(given)
  if (options.passphrase && typeof options.passphrase !== 'string') {
    throw new Error('Passphrase must be a string')
  }
  const environment = environmentOf(options)
  const ca = caOf(options.ca)
  const common = {
    auth: authOf(options, environment, now),
    environment,
    ...(ca === undefined ? {} : { ca }),
    limits: limitsOf(options, connectionsMax),
    // The original asks again at once, whatever the service says; here the first pause is up to half a second.
    retry: { server: { leastMs: 0, firstMs: 500, mostMs: 10_000 } },
  }
  return {
    pushes: {
      ...common,
      host: hostOf(options.address) || appleHosts[environment].http2,
      port: Number(options.port ?? applePorts[environment].http2),
      proxy: proxyOf(options.proxy),
    },
    channels: {
      ...common,
      host: hostOf(options.manageChannelsAddress) || appleHosts[environment].channels,
      port: Number(options.manageChannelsPort || applePorts[environment].channels),
      proxy: proxyOf(options.manageChannelsProxy),
    },
    verifies: options.rejectUnauthorized !== false,
  }
}

/** The original makes a URL of it: a port in it is not used, and an IPv6 address may stand in brackets. */
const hostOf = (address: string | undefined): string | undefined =>
  address && (URL.parse(`https://${address}`)?.hostname.replace(/^\[|\]$/g, '') ?? address)

/** The original takes null for "not given" in most places. */
const withoutNull = (given: ProviderOptions): ProviderOptions =>
  Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== null && value !== undefined))

/** With an address of one's own the environment is the sandbox, as in the original. */
const environmentOf = ({ address, production }: ProviderOptions): Environment => {
  if (address) return address === appleHosts.production.http2 ? 'production' : 'sandbox'
  return (production ?? process.env.NODE_ENV === 'production') ? 'production' : 'sandbox'
}

const caOf = (ca: ProviderOptions['ca']): string[] | undefined => {
  const list = ca === undefined ? [] : Array.isArray(ca) ? ca : [ca]
  return list.length === 0 ? undefined : list.map((one) => String(readMaterial(one)))
}

const limitsOf = (options: ProviderOptions, connectionsMax: number): Partial<Limits> => {
  const { connectionRetryLimit = 3, heartBeat = 60_000, requestTimeout = 5000 } = options
  return {
    connectionsMax,
    attemptsMax: 1 + whole(connectionRetryLimit),
    connectFailuresMax: Math.max(1, whole(connectionRetryLimit)),
    pingIdleMs: Math.max(1, whole(heartBeat)),
    answerMsMax: whole(requestTimeout) || msMax,
  }
}

const whole = (value: unknown): number => Math.min(msMax, Math.max(0, Math.floor(Number(value)) || 0))

const proxyOf = (proxy: ProviderOptions['proxy']): string | undefined => {
  if (proxy === undefined) return undefined
  // RFC 3986 §3.2.2: an IPv6 address stands in brackets.
  const host = proxy.host.includes(':') ? `[${proxy.host}]` : proxy.host
  return `http://${host}:${proxy.port}`
}
