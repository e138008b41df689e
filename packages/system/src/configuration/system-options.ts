import { portsFor, type SystemPorts } from '../ports.ts'
import type { SystemOptions } from '../start-system.ts'
import type { Configuration } from './configuration.ts'

/** What a configuration says to `startSystem`. */
export function systemOptionsOf(configuration: Configuration): Omit<SystemOptions, 'dataDir'> {
  const { host, names, teamName, ports, pushService, sandbox, production } = configuration
  return {
    ...(host === undefined ? {} : { host }),
    ...(names === undefined ? {} : { names }),
    ...(teamName === undefined ? {} : { teamName }),
    ...(ports === undefined ? {} : { ports: typeof ports === 'object' ? withDefaults(ports) : ports }),
    ...{ pushService, sandbox, production },
  }
}

function withDefaults(given: Exclude<Configuration['ports'], string | undefined>): SystemPorts {
  const others = portsFor('default')
  return {
    ...others,
    ...given,
    sandbox: { ...others.sandbox, ...given.sandbox },
    production: { ...others.production, ...given.production },
  }
}
