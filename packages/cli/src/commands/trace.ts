import { type Environment, environments, isApnsId } from '@carillon/wire'
import { Option } from 'commander'
import { adminCall } from '../admin-call.ts'
import { CliError, usageError } from '../cli-error.ts'
import { command } from '../command.ts'
import { type ToldTrace, waterfall } from '../waterfall.ts'

interface TraceOptions {
  data: string
  environment?: Environment
}

export const traceCommand = command<TraceOptions>(
  'trace',
  'Tell the way of a notification, by its apns-id or unique id, of a broadcast by its request id, or of the last notifications to a device token.',
  'carillon trace 123e4567-e89b-12d3-a456-426655440000 --data ./data',
  async ({ data, environment }, output, [id = '']) => {
    const path = pathOf(id)
    let isFound = false
    for (const asked of environment === undefined ? environments : [environment]) {
      for (const trace of await tracesOf(data, asked, path)) {
        output.result({ environment: asked, ...trace }, `${isFound ? '\n' : ''}${waterfall(asked, trace)}`)
        isFound = true
      }
    }
    if (isFound) return
    throw new CliError(
      'NOT_FOUND',
      `Nothing is known of ${id}${environment === undefined ? '' : ` in the ${environment} environment`}.`,
      'Traces are kept for a time: see trace.keepDays in the configuration.',
    )
  },
)
  .argument('<id>', 'apns-id, unique id, request id or device token')
  .requiredOption('--data <dir>', 'data directory of the running system')
  .addOption(
    new Option('--environment <env>', 'only there; both are searched otherwise').choices(environments),
  )

function pathOf(id: string): string {
  if (isApnsId(id)) return `/v1/traces/${id}`
  if (/^[0-9a-fA-F]{64}$/.test(id)) return `/v1/tokens/${id}/traces`
  throw usageError(
    `"${id}" is no UUID and no device token.`,
    'Give the apns-id, unique id or request id of an answer, or the 64 digits of a token.',
  )
}

async function tracesOf(data: string, environment: Environment, path: string): Promise<readonly ToldTrace[]> {
  try {
    return (await adminCall<{ traces: ToldTrace[] }>(data, environment, 'GET', path)).traces
  } catch (error) {
    // It may have been sent in the other environment.
    if (error instanceof CliError && error.code === 'NOT_FOUND') return []
    throw error
  }
}
