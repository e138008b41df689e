import { readFile } from 'node:fs/promises'
import { ArgumentError, type Auth, PushClient, type PushResult } from '@carillon/apns'
import {
  type Environment,
  environments,
  header,
  isApnsId,
  type Priority,
  type PushType,
  pushTypes,
} from '@carillon/wire'
import { InvalidArgumentError, Option } from 'commander'
import { CliError, usageError } from '../cli-error.ts'
import { command, wholeNumber } from '../command.ts'
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
  expiration?: number
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
    const client = openClient(options, auth, await addressOf(options))
    try {
      const result = await client.send({
        deviceToken: options.token,
        topic: options.topic,
        pushType: options.pushType,
        priority: options.priority === undefined ? undefined : (Number(options.priority) as Priority),
        expiration: options.expiration,
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
  .option('--expiration <seconds>', 'UNIX time; 0: one attempt, not stored', wholeNumber)
  .option('--collapse-id <id>', 'replaces the shown notification with the same id')
  .option('--apns-id <uuid>', 'id of the notification; made here where absent', uuid)

type ServiceAddress = { host?: string; port?: number; ca?: string }

function openClient(options: PushOptions, auth: Auth, address: ServiceAddress): PushClient {
  const { environment, key, cert, certKey, ca } = options
  try {
    return new PushClient({ auth, environment, limits: { queuedMsMax: connectMsMax }, ...address })
  } catch (cause) {
    if (!(cause instanceof ArgumentError)) throw cause
    // The library speaks of its own arguments; whoever typed the command knows options and files.
    const why = cause.message.slice(cause.field.length + 2).split('. ')[0]
    if (cause.field === 'auth.keyId')
      throw usageError(`--key-id is wrong: ${why}.`, 'See the name of the key.')
    if (cause.field === 'auth.teamId')
      throw usageError(`--team-id is wrong: ${why}.`, '`carillon portal ca show` tells it.')
    const [files, fix] =
      cause.field === 'ca'
        ? [`The root certificate ${ca}`, 'Give a certificate in PEM with --ca.']
        : auth.type === 'token'
          ? [`The key ${key}`, 'Give the AuthKey_….p8 file of the portal with --key.']
          : [
              `The certificate ${cert} with the key ${certKey}`,
              'Give both in PEM, and the key that belongs to the certificate.',
            ]
    throw new CliError('CREDENTIALS_UNUSABLE', `${files} cannot be used: ${why}.`, fix, 1, cause)
  }
}

function uuid(text: string): string {
  if (isApnsId(text)) return text
  throw new InvalidArgumentError('It is not a UUID.')
}

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
  const notJson = (why: string, cause?: unknown) =>
    new CliError(
      'PAYLOAD_NOT_JSON',
      `${payload} is not ${why}.`,
      'Mend the file given with --payload.',
      1,
      cause,
    )
  let parsed: unknown
  try {
    parsed = JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw notJson(`JSON: ${(cause as Error).message.replaceAll('\n', ' ')}`, cause)
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw notJson('a JSON object')
  return bytes
}

async function addressOf(options: PushOptions): Promise<ServiceAddress> {
  if (options.connect !== undefined) {
    const [, host, port] = /^(.+):(\d{1,5})$/.exec(options.connect) ?? []
    if (!host || !port || Number(port) < 1 || Number(port) > 65_535)
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
  return `${result.status || 'Not answered:'} ${result.reason}. ${result.hint.replace(/\.?$/, '.')}`
}
