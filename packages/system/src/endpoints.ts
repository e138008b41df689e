import { readFile, rm } from 'node:fs/promises'
import { dataDirectoryAt, writeWhole } from './data-directory.ts'
import { SystemError } from './system-error.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

/** How to reach one environment of the push service. What does not run yet is null. */
export interface EnvironmentEndpoints {
  readonly http2: Address
  readonly binary: Address | null
  readonly feedback: Address | null
  readonly courier: Address
  readonly courierWebSocket: { readonly url: string | null }
  readonly admin: { readonly url: string | null }
}

/** How to reach a running system: what `carillon up --json` prints and `endpoints.json` holds. */
export interface Endpoints {
  readonly event: 'ready'
  readonly dataDir: string
  /** The root certificate that signs everything here, PEM. */
  readonly caFile: string
  readonly adminKeyFile: string
  readonly portal: { readonly url: string; readonly enrolmentKeyFile: string }
  readonly provider: { readonly url: string; readonly apiKeyFile: string }
  readonly console: { readonly url: string | null }
  readonly environments: {
    readonly sandbox: EnvironmentEndpoints
    readonly production: EnvironmentEndpoints
  }
}

/** Publishes the addresses of a system that accepts connections. */
export function writeEndpoints(endpoints: Endpoints): Promise<void> {
  return writeWhole(
    dataDirectoryAt(endpoints.dataDir).endpointsFile,
    `${JSON.stringify(endpoints, null, 2)}\n`,
  )
}

/** Takes the addresses back when the system stops. */
export function removeEndpoints(dataDir: string): Promise<void> {
  return rm(dataDirectoryAt(dataDir).endpointsFile, { force: true })
}

/**
 * The addresses that a system in this directory has published, or undefined where there are none. After a
 * crash the file may name a system that is gone: whoever dials it finds out.
 */
export async function readEndpoints(dataDir: string): Promise<Endpoints | undefined> {
  const file = dataDirectoryAt(dataDir).endpointsFile
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    // ENOTDIR: a file stands where a folder of the path should be, so there is no system either.
    if (['ENOENT', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? '')) return undefined
    throw new SystemError('ENDPOINTS_UNREADABLE', `${file} cannot be read.`, 'Check its permissions.', cause)
  }
  const damaged = (cause?: unknown) =>
    new SystemError(
      'ENDPOINTS_UNREADABLE',
      `${file} is damaged.`,
      'Stop the system and start it again with `carillon up`; the file is written anew.',
      cause,
    )
  let endpoints: Partial<Endpoints> | null
  try {
    endpoints = JSON.parse(text)
  } catch (cause) {
    throw damaged(cause)
  }
  if (endpoints?.event !== 'ready' || !endpoints.portal || !endpoints.provider || !endpoints.environments)
    throw damaged()
  return endpoints as Endpoints
}
