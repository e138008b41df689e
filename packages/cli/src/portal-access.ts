import { readFile } from 'node:fs/promises'
import type { Activate } from '@carillon/device'
import type { PortalOperations } from '@carillon/portal'
import { type Endpoints, prepareDataDirectory, readEndpoints } from '@carillon/system/directory'

/**
 * The portal of a data directory: through its API where the system runs, else over the files themselves. A
 * stale `endpoints.json` (the system was killed) is noticed by nobody answering.
 */
export async function openPortalOf(dataDir: string): Promise<PortalOperations> {
  const endpoints = await readEndpoints(dataDir)
  if (endpoints) {
    const { openPortalClient, PortalError } = await import('@carillon/portal/client')
    try {
      return await openPortalClient({
        url: endpoints.portal.url,
        caPem: await readFile(endpoints.caFile, 'utf8'),
        adminKey: (await readFile(endpoints.adminKeyFile, 'utf8')).trim(),
      })
    } catch (error) {
      if (!(error instanceof PortalError && error.code === 'UNREACHABLE')) throw error
    }
  }
  const directory = await prepareDataDirectory(dataDir)
  const { openPortal } = await import('@carillon/portal')
  return openPortal({ dataDir: directory.portal, now: Date.now })
}

/** Runs one piece of work on the portal and closes it again. */
export async function withPortal<T>(
  dataDir: string,
  work: (portal: PortalOperations) => Promise<T>,
): Promise<T> {
  const portal = await openPortalOf(dataDir)
  try {
    return await work(portal)
  } finally {
    await portal.close()
  }
}

/**
 * How a device gets its certificate from the portal of a running system: a new one with the enrolment key, one
 * that the team registered with the administrator's.
 */
export function activationAt(endpoints: Endpoints): Activate {
  return async ({ csrPem, udid }) => {
    if (udid !== undefined)
      return withPortal(endpoints.dataDir, (portal) => portal.devices.activate({ csrPem, udid }))
    const { activateDevice } = await import('@carillon/portal/client')
    const { url, enrolmentKeyFile } = endpoints.portal
    const caPem = await readFile(endpoints.caFile, 'utf8')
    const enrolmentKey = (await readFile(enrolmentKeyFile, 'utf8')).trim()
    return activateDevice({ url, caPem, enrolmentKey }, { csrPem, new: true })
  }
}
