import { header, type Priority } from '@carillon/wire'
import { type Command, Option } from 'commander'
import { usageError } from '../cli-error.ts'
import { command, group, wholeNumber } from '../command.ts'
import { type ProviderChoice, readPayload, withClient, withProviderOptions } from '../provider-access.ts'
import { tellResult } from '../tell-result.ts'

interface AppChoice extends ProviderChoice {
  app: string
}

interface ChannelChoice extends AppChoice {
  channel: string
}

const credentials = '--key AuthKey_ABC123DEFG.p8 --key-id ABC123DEFG --team-id TEAM123456'
const example = (what: string) =>
  `carillon channel ${what} --data ./data --environment sandbox --app com.example.app ${credentials}`

const create = ofApp(
  command<AppChoice & { storage: 'none' | 'latest' }>(
    'create',
    'Create a broadcast channel. The App ID needs the broadcast capability.',
    example('create'),
    (options, output) =>
      withClient(options, async ({ channels }) => {
        const result = await channels.create(options.app, options.storage)
        tellResult(result, output, ({ channelId }) => channelId)
      }),
  ),
).addOption(
  new Option('--storage <kind>', 'latest: the last message is kept for devices that come later')
    .choices(['none', 'latest'])
    .default('none'),
)

const list = ofApp(
  command<AppChoice>('list', 'List the channels of an app.', example('list'), (options, output) =>
    withClient(options, async ({ channels }) => {
      const result = await channels.list(options.app)
      tellResult(result, output, ({ channelIds }) => channelIds.join('\n') || 'no channels')
    }),
  ),
)

const show = ofChannel(
  command<ChannelChoice>(
    'show',
    'Show what a channel was made with.',
    example('show --channel ID'),
    (options, output) =>
      withClient(options, async ({ channels }) => {
        const result = await channels.read(options.app, options.channel)
        tellResult(result, output, ({ storage }) => `${options.channel}  storage ${storage}`)
      }),
  ),
)

const remove = ofChannel(
  command<ChannelChoice>(
    'delete',
    'Delete a channel for good.',
    example('delete --channel ID'),
    (options, output) =>
      withClient(options, async ({ channels }) => {
        const result = await channels.delete(options.app, options.channel)
        tellResult(result, output, () => `deleted ${options.channel}`)
      }),
  ),
)

interface BroadcastOptions extends ChannelChoice {
  payload?: string
  state?: string
  alert?: string
  end?: boolean
  expiration?: number
  priority?: string
}

const broadcast = ofChannel(
  command<BroadcastOptions>(
    'broadcast',
    'Update or end the Live Activities that listen to a channel.',
    example(`broadcast --channel ID --state '{"home":1}'`),
    async (options, output) => {
      const payload = await payloadOf(options)
      const { app: bundleId, channel: channelId, expiration, priority } = options
      await withClient(options, async (client) => {
        const result = await client.broadcast({
          ...{ bundleId, channelId, payload, expiration },
          priority: priority === undefined ? undefined : (Number(priority) as Priority),
        })
        tellResult(result, output, ({ requestId }) => `accepted, request id ${requestId}`)
      })
    },
  ),
)
  .option('--payload <file>', 'JSON payload')
  .option('--state <json>', 'the content state, instead of a payload')
  .option('--alert <text>', 'text to show with it; with --state')
  .option('--end', 'end the activities; with --state, or alone')
  .option('--expiration <seconds>', 'UNIX time until which a channel keeps it; 0: not stored', wholeNumber)
  .addOption(new Option('--priority <n>', header.apnsPriority).choices(['10', '5', '1']))

export const channelCommand = group('channel', 'broadcast channels', example('create'), [
  create,
  list,
  show,
  remove,
  broadcast,
])

function ofApp(made: Command): Command {
  return withProviderOptions(made).requiredOption('--app <bundle-id>', 'the app')
}

function ofChannel(made: Command): Command {
  return ofApp(made).requiredOption('--channel <id>', 'id of the channel')
}

async function payloadOf(options: BroadcastOptions): Promise<object | Uint8Array> {
  const { payload, state, alert, end } = options
  if (payload !== undefined) {
    if (state !== undefined || alert !== undefined || end)
      throw usageError('Both a payload and parts of one are given.', 'Give --payload alone, or --state.')
    return readPayload(payload)
  }
  if (state === undefined && !end)
    throw usageError('There is nothing to broadcast.', `Give --state '{"home":1}', --end or --payload FILE.`)
  return {
    aps: {
      timestamp: Math.floor(Date.now() / 1000),
      event: end ? 'end' : 'update',
      ...(state === undefined ? {} : { 'content-state': stateOf(state) }),
      ...(alert === undefined ? {} : { alert: { body: alert } }),
    },
  }
}

function stateOf(text: string): unknown {
  try {
    const state: unknown = JSON.parse(text)
    if (typeof state === 'object' && state !== null && !Array.isArray(state)) return state
  } catch {
    // Said below, with what was typed.
  }
  throw usageError(`--state ${text} is no JSON object.`, `For example --state '{"home":1}'.`)
}
