import type { ServiceOptions } from '@carillon/service'

/** What the system itself decides for each environment. */
type Wiring =
  | 'environment'
  | 'dataDir'
  | 'authority'
  | 'tls'
  | 'expiredTls'
  | 'host'
  | 'ports'
  | 'now'
  | 'random'
  | 'admin'
  | 'commons'

/** The options of one environment of the push service that are for its operator; see `ServiceOptions`. */
export type ServiceSettings = Partial<Omit<ServiceOptions, Wiring>>

/** Group by group: an environment's own settings stand over those of both. A group that is empty says nothing. */
export function settingsOf(both: ServiceSettings = {}, own: ServiceSettings = {}): ServiceSettings {
  const merged: Record<string, unknown> = { ...both }
  for (const [name, value] of Object.entries(own)) {
    const common = merged[name]
    if (common === undefined || !isGroup(value)) merged[name] = value
    else if (Object.keys(value).length > 0) merged[name] = isGroup(common) ? { ...common, ...value } : value
  }
  return merged
}

function isGroup(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
