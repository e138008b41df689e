import {
  type Endpoints,
  openFilesMax,
  type PortChoice,
  readConfiguration,
  startSystem,
  systemOptionsOf,
} from '@carillon/system'
import { Option } from 'commander'
import { collect, command } from '../command.ts'
import { untilStopped } from '../until-stopped.ts'

interface UpOptions {
  data: string
  config?: string
  ports?: PortChoice
  host?: string
  name?: string[]
}

export const upCommand = command<UpOptions>(
  'up',
  'Run portal, both environments of the push service and the provider in one process, until SIGTERM.',
  'carillon up --data ./data',
  async (options, output) => {
    const stopped = untilStopped()
    const system = await startSystem({
      ...(options.config === undefined ? {} : systemOptionsOf(await readConfiguration(options.config))),
      dataDir: options.data,
      ...(options.ports ? { ports: options.ports } : {}),
      ...(options.host ? { host: options.host } : {}),
      ...(options.name ? { names: options.name } : {}),
    })
    // Also where it cannot be said where it listens: a system that nobody awaits would run on, deaf to signals.
    try {
      output.result(system.endpoints, readable(system.endpoints))
      await stopped
    } finally {
      await system.close()
    }
  },
)
  .requiredOption('--data <dir>', 'data directory; made on first use')
  .addOption(
    new Option('--ports <choice>', 'well-known ports (default), or any free ones').choices([
      'default',
      'auto',
    ]),
  )
  .option('--config <file>', 'configuration; options here stand over it (see `carillon config print`)')
  .option('--host <address>', 'address to listen on (127.0.0.1 unless configured)')
  .option('--name <name>', 'further name or address for the certificates; may be repeated', collect)

function readable({ dataDir, caFile, portal, provider, environments }: Endpoints): string {
  const lines = [
    `Carillon is up (data in ${dataDir})`,
    `  portal      ${portal.url}`,
    `  provider    ${provider.url}`,
  ]
  for (const [name, { http2, binary, feedback, courier, admin }] of Object.entries(environments)) {
    const ports = [`HTTP/2 ${http2.host}:${http2.port}`, `courier ${courier.port}`]
    if (binary) ports.push(`binary ${binary.port}`)
    if (feedback) ports.push(`feedback ${feedback.port}`)
    lines.push(`  ${name.padEnd(10)}  ${ports.join(', ')}`)
    if (admin.url) lines.push(`              admin API ${admin.url}`)
  }
  return [...lines, `  root certificate  ${caFile}`, ...roomFor(openFilesMax()), 'Ctrl-C ends it.'].join('\n')
}

/** Files that a system has open beside its connections, with a few to spare. */
const ownFiles = 200

/** How many devices and providers the system's limit of open files has room for; each is a file. */
function roomFor(filesMax: number | undefined): string[] {
  if (filesMax === undefined || filesMax === Number.POSITIVE_INFINITY) return []
  const room = Math.max(0, filesMax - ownFiles).toLocaleString('en-US')
  const total = filesMax.toLocaleString('en-US')
  return [`  room for about ${room} connections: ${total} open files are allowed (ulimit -n)`]
}
