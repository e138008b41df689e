import type { ArgumentError, Auth, PushClient } from '@carillon/apns'
import type { Command } from 'commander'
import { CliError, usageError } from './cli-error.ts'
import { readNamedFile } from './files.ts'
import { addressOf, type ServiceAddress, type ServiceChoice, withServiceOptions } from './service-address.ts'

/** The options that say which push service a command sends to, and as whom. */
export interface ProviderChoice extends ServiceChoice {
  readonly key?: string
  readonly keyId?: string
  readonly teamId?: string
  readonly cert?: string
  readonly certKey?: string
}

/** Somebody waits at a terminal: a service that cannot be reached is said sooner than the library would. */
const connectMsMax = 10_000

/** Declares those options. */
export function withProviderOptions(made: Command): Command {
  return withServiceOptions(made)
    .option('--key <file>', 'auth key (.p8), with --key-id and --team-id')
    .option('--key-id <id>', 'key id')
    .option('--team-id <id>', 'team id')
    .option('--cert <file>', 'push certificate (PEM), with --cert-key')
    .option('--cert-key <file>', 'its key (PEM)')
}

/** Works with a client of the service that the options name, and closes it. */
export async function withClient<T>(
  choice: ProviderChoice,
  work: (client: PushClient) => Promise<T>,
): Promise<T> {
  const auth = await authOf(choice)
  const client = await openClient(choice, auth, await addressOf(choice, 'http2'))
  try {
    return await work(client)
  } finally {
    await client.close()
  }
}

async function openClient(options: ProviderChoice, auth: Auth, address: ServiceAddress): Promise<PushClient> {
  const { PushClient } = await import('@carillon/apns')
  const { environment } = options
  try {
    return new PushClient({ auth, environment, limits: { queuedMsMax: connectMsMax }, ...address })
  } catch (cause) {
    throw unusableCredentials(cause, options)
  }
}

/** The library speaks of its own arguments; whoever typed the command knows options and files. */
export function unusableCredentials(cause: unknown, options: ProviderChoice): unknown {
  if (!isArgumentError(cause)) return cause
  const { key, cert, certKey, ca } = options
  const why = cause.message.slice(cause.field.length + 2).split('. ')[0]
  if (cause.field === 'auth.keyId')
    return usageError(`--key-id is wrong: ${why}.`, 'See the name of the key.')
  if (cause.field === 'auth.teamId')
    return usageError(`--team-id is wrong: ${why}.`, '`carillon portal ca show` tells it.')
  const [files, fix] =
    cause.field === 'ca'
      ? [`The root certificate ${ca}`, 'Give a certificate in PEM with --ca.']
      : key
        ? [`The key ${key}`, 'Give the AuthKey_….p8 file of the portal with --key.']
        : [
            `The certificate ${cert} with the key ${certKey}`,
            'Give both in PEM, and the key that belongs to the certificate.',
          ]
  return new CliError('CREDENTIALS_UNUSABLE', `${files} cannot be used: ${why}.`, fix, 1, cause)
}

function isArgumentError(cause: unknown): cause is ArgumentError {
  return (cause as Partial<ArgumentError>).code === 'ERR_APNS_ARGUMENT'
}

async function authOf(options: ProviderChoice): Promise<Auth> {
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

/** The bytes of the file that `--payload` names, which must hold a JSON object. */
export async function readPayload(payload: string): Promise<Uint8Array> {
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
