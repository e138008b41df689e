import { type AuthKey, type KeyEnvironment, keyEnvironments } from '@carillon/portal/operations'
import { Option } from 'commander'
import { command, group } from '../../command.ts'
import { inFolder, prepareFolder, writeNamedFile } from '../../files.ts'
import { withPortal } from '../../portal-access.ts'

interface CreateOptions {
  data: string
  name: string
  environment: KeyEnvironment
  topic?: string[]
  relatedKey?: string
  out: string
}

const create = command<CreateOptions>(
  'create',
  'Make an auth key (.p8) for token authentication. Its private half is written once and not kept.',
  'carillon portal key create --data ./data --name "Back end" --out ./keys',
  (options, output) =>
    withPortal(options.data, async (portal) => {
      await prepareFolder(options.out)
      const key = await portal.keys.create({
        name: options.name,
        environment: options.environment,
        ...(options.topic === undefined ? {} : { topics: options.topic }),
        ...(options.relatedKey === undefined ? {} : { relatedKeyId: options.relatedKey }),
      })
      const file = await writeNamedFile(
        inFolder(options.out, `AuthKey_${key.keyId}.p8`),
        key.privateKeyPem,
        true,
      )
      output.result(
        { keyId: key.keyId, teamId: key.teamId, file, environment: key.environment },
        `Auth key ${key.keyId} of team ${key.teamId} (${key.environment})\n  ${file}`,
      )
    }),
)
  .requiredOption('--data <dir>', 'data directory of the system')
  .requiredOption('--name <name>', 'a name to show')
  .addOption(
    new Option('--environment <env>', 'where the key is good').choices(keyEnvironments).default('all'),
  )
  .option('--topic <bundleIds...>', 'topics that the key is restricted to; all of the team where absent')
  .option('--related-key <id>', 'another key for topics that may be used on one connection with this one')
  .requiredOption('--out <dir>', 'folder for AuthKey_<keyId>.p8')

const list = command<{ data: string }>(
  'list',
  'List the auth keys.',
  'carillon portal key list --data ./data',
  (options, output) =>
    withPortal(options.data, async (portal) => {
      for (const key of await portal.keys.list())
        output.result(key, [key.keyId, key.name, key.environment, key.status, ...scopeOf(key)].join('  '))
    }),
).requiredOption('--data <dir>', 'data directory of the system')

const revoke = command<{ data: string; keyId: string }>(
  'revoke',
  'Revoke an auth key.',
  'carillon portal key revoke --data ./data --key-id ABC123DEFG',
  (options, output) =>
    withPortal(options.data, async (portal) => {
      const key = await portal.keys.revoke(options.keyId)
      output.result(key, `Auth key ${key.keyId} is revoked`)
    }),
)
  .requiredOption('--data <dir>', 'data directory of the system')
  .requiredOption('--key-id <id>', 'its key id')

/** A key of the whole team says nothing. */
function scopeOf({ topics }: AuthKey): string[] {
  return topics.length === 0 ? [] : [`for ${topics.join(', ')}`]
}

export const keyCommand = group('key', 'auth keys (.p8)', 'carillon portal key list --data ./data', [
  create,
  list,
  revoke,
])
