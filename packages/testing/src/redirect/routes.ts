import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Address, Endpoints } from '@carillon/system'
import { appleHostOf } from '@carillon/wire'
import { TestingError } from '../testing-error.ts'

/** Where connections for Apple's hosts go instead. */
export interface Routes {
  /** PEM: what the certificates there lead to. */
  readonly ca: string
  /** Undefined for a host that is none of Apple's. */
  find(host: string): Address | undefined
}

/**
 * Reads where the system of a data directory runs. Each host leads to the listener of its service and environment;
 * channel management is served beside device pushes.
 *
 * @throws TestingError `REDIRECT_UNKNOWN`
 */
export function routesOf(dataDir: string | undefined): Routes {
  if (dataDir === undefined || dataDir === '') {
    throw unknown('CARILLON_DATA is not set.', 'Set it to the data directory of a running system.')
  }
  const { caFile, environments } = readEndpointsNow(dataDir)
  return {
    ca: readFileSync(caFile, 'utf8'),
    find(host) {
      const known = appleHostOf(host)
      if (known === undefined) return undefined
      const { http2, binary, feedback } = environments[known.environment]
      if (known.service === 'binary') return binary ?? undefined
      if (known.service === 'feedback') return feedback ?? undefined
      return http2
    },
  }
}

/** At once: a preload has to be done before the program begins. */
function readEndpointsNow(dataDir: string): Endpoints {
  const file = join(dataDir, 'endpoints.json')
  try {
    const endpoints = JSON.parse(readFileSync(file, 'utf8')) as Endpoints
    if (endpoints.event === 'ready' && endpoints.environments) return endpoints
    throw new Error('it describes no system')
  } catch (cause) {
    throw unknown(
      `No system runs in ${dataDir}: ${cause instanceof Error ? cause.message : cause}.`,
      'Start one with `carillon up --data DIR`, or pass the redirectEnv of a test service.',
      cause,
    )
  }
}

function unknown(message: string, fix: string, cause?: unknown): TestingError {
  return new TestingError('REDIRECT_UNKNOWN', message, fix, cause)
}
