import type { Environment } from '../values/environment.ts'

/** The public host names of Apple's push service. */
export const appleHosts = {
  production: {
    http2: 'api.push.apple.com',
    channels: 'api-manage-broadcast.push.apple.com',
    binary: 'gateway.push.apple.com',
    feedback: 'feedback.push.apple.com',
  },
  sandbox: {
    http2: 'api.sandbox.push.apple.com',
    channels: 'api-manage-broadcast.sandbox.push.apple.com',
    binary: 'gateway.sandbox.push.apple.com',
    feedback: 'feedback.sandbox.push.apple.com',
  },
} as const satisfies Record<Environment, Record<AppleService, string>>

/** A provider-facing service of Apple. `http2` takes device pushes and broadcasts. */
export type AppleService = 'http2' | 'channels' | 'binary' | 'feedback'

/**
 * Apple's ports. `http2Alternative` is for networks that keep 443 to themselves. Channel management is on 2196 in
 * production and on 2195 in the sandbox. Apple: "Sending channel management requests to APNs"
 */
export const applePorts = {
  production: {
    http2: 443,
    http2Alternative: 2197,
    channels: 2196,
    binary: 2195,
    feedback: 2196,
    courier: 5223,
  },
  sandbox: {
    http2: 443,
    http2Alternative: 2197,
    channels: 2195,
    binary: 2195,
    feedback: 2196,
    courier: 5223,
  },
} as const

/** The ports that our push service listens on unless told otherwise: the sandbox is production plus 10000. */
export const defaultPorts = {
  production: {
    http2: 2197,
    binary: 2195,
    feedback: 2196,
    courier: 5223,
    courierWebSocket: 2198,
    admin: 2199,
  },
  sandbox: {
    http2: 12197,
    binary: 12195,
    feedback: 12196,
    courier: 15223,
    courierWebSocket: 12198,
    admin: 12199,
  },
} as const satisfies Record<Environment, ServicePorts>

/** One port for each listener of an environment. */
export interface ServicePorts {
  /** Device pushes, broadcasts and channel management. */
  readonly http2: number
  readonly binary: number
  readonly feedback: number
  readonly courier: number
  /** The courier for browsers; Apple has none. */
  readonly courierWebSocket: number
  readonly admin: number
}

/** Other names under which Apple's service was or is documented, each with what it means. */
const aliases: Readonly<Record<string, AppleHost>> = {
  'api.development.push.apple.com': { environment: 'sandbox', service: 'http2' },
  'api-broadcast.push.apple.com': { environment: 'production', service: 'http2' },
  'api-broadcast.sandbox.push.apple.com': { environment: 'sandbox', service: 'http2' },
}

/** What one of Apple's host names stands for. */
export interface AppleHost {
  readonly environment: Environment
  readonly service: AppleService
}

const byHost = new Map<string, AppleHost>(Object.entries(aliases))
for (const environment of ['production', 'sandbox'] as const) {
  for (const service of ['http2', 'channels', 'binary', 'feedback'] as const) {
    byHost.set(appleHosts[environment][service], { environment, service })
  }
}

/** The environment and service of one of Apple's provider-facing host names (any case), or undefined. */
export function appleHostOf(host: string): AppleHost | undefined {
  return byHost.get(host.toLowerCase())
}
