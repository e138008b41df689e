import { readFile } from 'node:fs/promises'
import { type Environment, environments } from '@carillon/wire'
import { type Command, Option } from 'commander'
import { usageError } from './cli-error.ts'
import { readNamedFile } from './files.ts'
import { endpointsOf } from './running-system.ts'

/** The options that say which push service a command talks to. */
export interface ServiceChoice {
  readonly data?: string
  readonly connect?: string
  readonly ca?: string
  readonly environment: Environment
}

/** Declares those options. */
export function withServiceOptions(made: Command): Command {
  return made
    .option('--data <dir>', 'data directory of a running system')
    .option('--connect <host:port>', 'another push service than that of --data')
    .option('--ca <file>', 'root certificate to trust, PEM; with --connect')
    .addOption(new Option('--environment <env>', 'environment').choices(environments).makeOptionMandatory())
}

/** Empty for Apple's own. */
export type ServiceAddress = { host?: string; port?: number; ca?: string }

/** The address of `--connect`, or that of the system in `--data`. */
export async function addressOf(
  choice: ServiceChoice,
  service: 'http2' | 'binary' | 'feedback',
): Promise<ServiceAddress> {
  if (choice.connect !== undefined) {
    const [, host, port] = /^(.+):(\d{1,5})$/.exec(choice.connect) ?? []
    if (!host || !port || Number(port) < 1 || Number(port) > 65_535)
      throw usageError(
        `--connect ${choice.connect} is not host:port.`,
        'For example --connect push.example.com:2197.',
      )
    const ca = choice.ca ? { ca: (await readNamedFile('--ca', choice.ca)).toString('utf8') } : {}
    return { host, port: Number(port), ...ca }
  }
  if (choice.data === undefined) return {}
  const { caFile, environments: running } = await endpointsOf(choice.data)
  const address = running[choice.environment][service]
  // Only a system of an older version has none.
  if (address === null)
    throw usageError(
      `The system in ${choice.data} has no ${service} port.`,
      'Start it anew with carillon up.',
    )
  return { ...address, ca: await readFile(caFile, 'utf8') }
}
