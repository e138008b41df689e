import { type Endpoints, type PortChoice, startSystem } from '@carillon/system'
import { Option } from 'commander'
import { collect, command } from '../command.ts'
import { untilStopped } from '../until-stopped.ts'

interface UpOptions {
  data: string
  ports: PortChoice
  host: string
  name?: string[]
}

export const upCommand = command<UpOptions>(
  'up',
  'Run portal, both environments of the push service and the provider in one process, until SIGTERM.',
  'carillon up --data ./data',
  async (options, output) => {
    const stopped = untilStopped()
    const system = await startSystem({
      dataDir: options.data,
      ports: options.ports,
      host: options.host,
      ...(options.name ? { names: options.name } : {}),
    })
    output.result(system.endpoints, readable(system.endpoints))
    await stopped
    await system.close()
  },
)
  .requiredOption('--data <dir>', 'data directory; made on first use')
  .addOption(
    new Option('--ports <choice>', 'well-known ports, or any free ones')
      .choices(['default', 'auto'])
      .default('default'),
  )
  .option('--host <address>', 'address to listen on', '127.0.0.1')
  .option('--name <name>', 'further name or address for the certificates; may be repeated', collect)

function readable({ dataDir, caFile, portal, provider, environments }: Endpoints): string {
  const lines = [
    `Carillon is up (data in ${dataDir})`,
    `  portal      ${portal.url}`,
    `  provider    ${provider.url}`,
  ]
  for (const [name, { http2, courier }] of Object.entries(environments))
    lines.push(
      `  ${name.padEnd(10)}  HTTP/2 ${http2.host}:${http2.port}, courier ${courier.host}:${courier.port}`,
    )
  return [...lines, `  root certificate  ${caFile}`, 'Ctrl-C ends it.'].join('\n')
}
