import { readFile } from 'node:fs/promises'
import { type Auth, PushClient, type PushResult } from '@carillon/apns'
import {
  type Environment,
  environments,
  header,
  type Priority,
  type PushType,
  pushTypes,
} from '@carillon/wire'
import { Option } from 'commander'
import { CliError, usageError } from '../cli-error.ts'
import { command } from '../command.ts'
import { readNamedFile } from '../files.ts'
import { endpointsOf } from '../running-system.ts'

/** Somebody waits at a terminal: a service that cannot be reached is said sooner than the library would. */
const connectMsMax = 10_000

interface PushOptions {
  data?: string
  connect?: string
  ca?: string
  environment: Environment
  topic: string
  token: string
  alert?: string
  payload?: string
  key?: string
  keyId?: string
  teamId?: string
  cert?: string
  certKey?: string
  pushType?: PushType
  priority?: string
  expiration?: string
  collapseId?: string
  apnsId?: string
}

export const pushCommand = command<PushOptions>(
  'push',
  'Send one push: to the system in --data, to another service with --connect, or to Apple with neither.',
  'carillon push --data ./data --environment sandbox --topic com.example.app --token TOKEN --alert "Hello" --key AuthKey_ABC123DEFG.p8 --key-id ABC123DEFG --team-id TEAM123456',
  async (options, output) => {
    const auth = await authOf(options)
    const payload = await payloadOf(options)
    const client = new PushClient({
      auth,
      environment: options.environment,
      limits: { queuedMsMax: connectMsMax },
      ...(await addressOf(options)),
    })
    try {
      const result = await client.send({
        deviceToken: options.token,
        topic: options.topic,
        pushType: options.pushType,
        priority: options.priority === undefined ? undefined : (Number(options.priority) as Priority),
        expiration: options.expiration === undefined ? undefined : Number(options.expiration),
        collapseId: options.collapseId,
        apnsId: options.apnsId,
        payload,
      })
      if (result.ok || output.json) output.result(result, readable(result))
      else process.stderr.write(`${readable(result)}\n`)
      if (!result.ok) process.exitCode = 1
    } finally {
      await client.close()
    }
  },
)
  .option('--data <dir>', 'data directory of a running system')
  .option('--connect <host:port>', 'another push service than that of --data')
  .option('--ca <file>', 'root certificate to trust, PEM; with --connect')
  .addOption(new Option('--environment <env>', 'environment').choices(environments).makeOptionMandatory())
  .requiredOption('--topic <topic>', 'bundle id, with the suffix of the push type')
  .requiredOption('--token <hex>', 'device token')
  .option('--alert <text>', 'text to show')
  .option('--payload <file>', 'JSON payload')
  .option('--key <file>', 'auth key (.p8), with --key-id and --team-id')
  .option('--key-id <id>', 'key id')
  .option('--team-id <id>', 'team id')
  .option('--cert <file>', 'push certificate (PEM), with --cert-key')
  .option('--cert-key <file>', 'its key (PEM)')
  .addOption(new Option('--push-type <type>', header.apnsPushType).choices(Object.keys(pushTypes)))
  .addOption(new Option('--priority <n>', header.apnsPriority).choices(['10', '5', '1']))
  .option('--expiration <seconds>', 'UNIX time; 0: one attempt, not stored')
  .option('--collapse-id <id>', 'replaces the shown notification with the same id')
  .option('--apns-id <uuid>', 'id of the notification; made here where absent')

async function authOf(options: PushOptions): Promise<Auth> {
  const { key, keyId, teamId, cert, certKey } = options
  if (key && cert) throw usageError('Both --key and --cert are given.', 'Authenticate with one of them.')
  if (key) {
    if (!keyId || !teamId)
      throw usageError(
        '--key needs --key-id and --team-id.',
        'Add both; `carillon portal key list` shows them.',
      )
    return { type: 'token', keyId, teamId, privateKey: (await readNamedFile('--key', key)).toString('utf8') }
  }
  if (cert) {
    if (!certKey)
      throw usageError('--cert needs --cert-key.', 'Name the file with the private key of the certificate.')
    return {
      type: 'certificate',
      cert: await readNamedFile('--cert', cert),
      key: await readNamedFile('--cert-key', certKey),
    }
  }
  throw usageError(
    'Nothing to authenticate with.',
    'Give --key, --key-id and --team-id, or --cert and --cert-key.',
  )
}

async function payloadOf({ alert, payload }: PushOptions): Promise<object | Uint8Array> {
  if (alert !== undefined && payload !== undefined)
    throw usageError('Both --alert and --payload are given.', 'Give one of them.')
  if (alert !== undefined) return { aps: { alert } }
  if (payload === undefined)
    throw usageError('There is nothing to send.', 'Give --alert TEXT or --payload FILE.')
  const bytes = await readNamedFile('--payload', payload)
  try {
    JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw new CliError(
      'PAYLOAD_NOT_JSON',
      `${payload} is not JSON: ${(cause as Error).message}.`,
      'Mend the file given with --payload.',
      1,
      cause,
    )
  }
  return bytes
}

async function addressOf(options: PushOptions): Promise<{ host?: string; port?: number; ca?: string }> {
  if (options.connect !== undefined) {
    const [, host, port] = /^(.+):(\d{1,5})$/.exec(options.connect) ?? []
    if (!host || !port)
      throw usageError(
        `--connect ${options.connect} is not host:port.`,
        'For example --connect push.example.com:2197.',
      )
    const ca = options.ca ? { ca: (await readNamedFile('--ca', options.ca)).toString('utf8') } : {}
    return { host, port: Number(port), ...ca }
  }
  if (options.data === undefined) return {}
  const { caFile, environments: running } = await endpointsOf(options.data)
  return { ...running[options.environment].http2, ca: await readFile(caFile, 'utf8') }
}

function readable(result: PushResult): string {
  if (result.ok) return `accepted, apns-id ${result.apnsId}`
  return `${result.status || 'not answered'} ${result.reason}. ${result.hint}`
}
