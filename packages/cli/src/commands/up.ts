import type { PortChoice } from '@carillon/system'
import { Option } from 'commander'
import { collect, command } from '../command.ts'
import { systemLines } from '../system-lines.ts'
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
    const { openFilesMax, readConfiguration, startSystem, systemOptionsOf } = await import('@carillon/system')
    const configured =
      options.config === undefined ? {} : systemOptionsOf(await readConfiguration(options.config))
    const system = await startSystem({
      ...configured,
      dataDir: options.data,
      ...(options.ports ? { ports: options.ports } : {}),
      ...(options.host ? { host: options.host } : {}),
      ...(options.name ? { names: options.name } : {}),
    })
    // Also where it cannot be said where it listens: a system that nobody awaits would run on, deaf to signals.
    try {
      output.result(system.endpoints, systemLines(system.endpoints, openFilesMax()).join('\n'))
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
