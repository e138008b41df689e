import { ServiceError } from '../service-error.ts'
import type { ServiceOptions } from '../service-options.ts'
import { listening } from '../start-errors.ts'
import { type AdminRoutes, createAdminApi } from './api.ts'
import { type HttpsServer, serveHttps } from './drivers/https-server.ts'
import { processNumbers } from './drivers/process-numbers.ts'
import { OpenStreams } from './open-streams.ts'
import { type ServiceParts, serviceRoutes } from './service-routes.ts'

export interface AdminParts extends ServiceParts {
  /** Further groups of routes. */
  readonly routes: readonly AdminRoutes[]
  readonly onTrouble: (sentence: string, cause: unknown) => void
}

/**
 * Opens the admin API where the options name a port for it.
 *
 * @throws ServiceError where its key is missing or its port cannot be had
 */
export async function openAdmin(
  options: ServiceOptions,
  parts: AdminParts,
): Promise<HttpsServer | undefined> {
  const { host, ports, tls } = options
  const port = ports.admin
  if (port === undefined) return undefined
  const key = options.admin?.key ?? ''
  if (key === '') {
    const message = 'The admin API has a port (ports.admin) and no key.'
    throw new ServiceError('ADMIN_KEY_MISSING', message, 'Set admin.key, or leave the port out.')
  }
  const streams = new OpenStreams()
  const numbers = processNumbers()
  const routes = [...serviceRoutes(parts, numbers, streams), ...parts.routes]
  const onFailure = (error: unknown) => parts.onTrouble('A request to the admin API failed.', error)
  try {
    const { fetch } = createAdminApi({ key, routes, onFailure })
    const server = await listening('ports.admin', host, port, () => serveHttps(fetch, { host, port, tls }))
    return {
      ...server,
      /** Ends streams, answers what is under way, then closes. */
      async close() {
        numbers.stop()
        streams.close()
        await server.close()
      },
    }
  } catch (cause) {
    numbers.stop()
    throw cause
  }
}
