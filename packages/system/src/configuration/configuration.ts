import { z } from 'zod'
import { serviceSection } from './service-section.ts'
import { section, setting } from './setting.ts'

const port = z.int().min(0).max(65_535).exactOptional()
const environmentPorts = z
  .strictObject({
    http2: port,
    courier: port,
    courierWebSocket: port,
    binary: port,
    feedback: port,
    admin: port,
  })
  .exactOptional()
const portNumbers = z.strictObject({
  portal: port,
  provider: port,
  sandbox: environmentPorts,
  production: environmentPorts,
})

/** Devices are let in for the whole process: that is nothing of one environment. */
const { admission: _, ...ownSection } = serviceSection

/** Everything that may stand in the configuration file. What is absent is left to the party that it is for. */
export const configurationSchema = z.strictObject({
  host: setting(
    z.string().min(1),
    '127.0.0.1',
    'Address that every listener binds to. Beyond the loopback addresses the HTTP APIs speak TLS.',
  ),
  names: setting(
    z.array(z.string().min(1)),
    [],
    "Further names and addresses for the listeners' certificates, for clients on other machines.",
  ),
  teamName: setting(
    z.string().min(1),
    'Carillon',
    'Name of the team that the portal makes at its first start.',
  ),
  ports: setting(
    z.union([z.enum(['default', 'auto']), portNumbers], {
      error: 'give default, auto, or the number of each listener that is to have another than the default',
    }),
    'default',
    "default: Apple's numbers for production, the same plus 10000 for the sandbox; auto: any free ones. Or numbers, such as { provider: 8080, production: { http2: 443 } }; the others have the default.",
  ),
  pushService: section('The push service, in both environments.', serviceSection),
  sandbox: section(
    'What differs in the sandbox; the settings of pushService but admission.',
    ownSection,
    true,
  ),
  production: section('What differs in production; the same settings.', ownSection, true),
})

export type Configuration = z.infer<typeof configurationSchema>
