import { header, isApnsId, type Priority, type PushType, pushTypes } from '@carillon/wire'
import { InvalidArgumentError, Option } from 'commander'
import { usageError } from '../cli-error.ts'
import { command, wholeNumber } from '../command.ts'
import { type ProviderChoice, readPayload, withClient, withProviderOptions } from '../provider-access.ts'
import { tellResult } from '../tell-result.ts'

interface PushOptions extends ProviderChoice {
  topic: string
  token: string
  alert?: string
  payload?: string
  pushType?: PushType
  priority?: string
  expiration?: number
  collapseId?: string
  apnsId?: string
}

export const pushCommand = withProviderOptions(
  command<PushOptions>(
    'push',
    'Send one push: to the system in --data, to another service with --connect, or to Apple with neither.',
    'carillon push --data ./data --environment sandbox --topic com.example.app --token TOKEN --alert "Hello" --key AuthKey_ABC123DEFG.p8 --key-id ABC123DEFG --team-id TEAM123456',
    async (options, output) => {
      const payload = await payloadOf(options)
      await withClient(options, async (client) => {
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
        tellResult(result, output, ({ apnsId }) => `accepted, apns-id ${apnsId}`)
      })
    },
  ),
)
  .requiredOption('--topic <topic>', 'bundle id, with the suffix of the push type')
  .requiredOption('--token <hex>', 'device token')
  .option('--alert <text>', 'text to show')
  .option('--payload <file>', 'JSON payload')
  .addOption(new Option('--push-type <type>', header.apnsPushType).choices(Object.keys(pushTypes)))
  .addOption(new Option('--priority <n>', header.apnsPriority).choices(['10', '5', '1']))
  .option('--expiration <seconds>', 'UNIX time; 0: one attempt, not stored', wholeNumber)
  .option('--collapse-id <id>', 'replaces the shown notification with the same id')
  .option('--apns-id <uuid>', 'id of the notification; made here where absent', uuid)

function uuid(text: string): string {
  if (isApnsId(text)) return text
  throw new InvalidArgumentError('It is not a UUID.')
}

async function payloadOf({ alert, payload }: PushOptions): Promise<object | Uint8Array> {
  if (alert !== undefined && payload !== undefined)
    throw usageError('Both --alert and --payload are given.', 'Give one of them.')
  if (alert !== undefined) return { aps: { alert } }
  if (payload === undefined)
    throw usageError('There is nothing to send.', 'Give --alert TEXT or --payload FILE.')
  return readPayload(payload)
}
