import type { FaultPlanInput, FaultStatus } from '@carillon/system'
import { type Environment, environments } from '@carillon/wire'
import { type Command, Option } from 'commander'
import { adminCall } from '../admin-call.ts'
import { usageError } from '../cli-error.ts'
import { collect, command, group, wholeNumber } from '../command.ts'
import { readNamedFile } from '../files.ts'
import type { Output } from '../output.ts'

interface Where {
  data: string
  environment: Environment
}

const path = '/v1/faults'

const set = withWhere(
  command<Where & { file?: string; rule?: string[]; seed?: number }>(
    'set',
    'Replace the fault rules: trouble on purpose, described in docs/faults.md.',
    `carillon faults set --data ./data --rule '{"id":"busy","match":{"times":3},"fault":{"kind":"answer","reason":"ServiceUnavailable","retryAfter":2}}'`,
    async (options, output) => {
      const plan = await planOf(options)
      const { rules } = await adminCall<Listed>(options.data, options.environment, 'PUT', path, plan)
      show(rules, output)
    },
  ),
)
  .option('--file <file>', 'JSON with seed and rules')
  .option('--rule <json>', 'a rule as JSON; may be repeated', collect)
  .option('--seed <number>', 'for what is drawn; with --rule', wholeNumber)

const list = withWhere(
  command<Where>(
    'list',
    'List the fault rules, and how often each was met.',
    'carillon faults list --data ./data',
    async (options, output) =>
      show((await adminCall<Listed>(options.data, options.environment, 'GET', path)).rules, output),
  ),
)

const clear = withWhere(
  command<Where>(
    'clear',
    'Remove all fault rules.',
    'carillon faults clear --data ./data',
    async (options, output) => {
      await adminCall(options.data, options.environment, 'DELETE', path)
      show([], output)
    },
  ),
)

export const faultsCommand = group(
  'faults',
  'trouble on purpose, to test providers and devices',
  'carillon faults list --data ./data',
  [set, list, clear],
)

function withWhere(made: Command): Command {
  return made
    .requiredOption('--data <dir>', 'data directory of the system')
    .addOption(
      new Option('--environment <env>', 'which push service').choices(environments).default('sandbox'),
    )
}

interface Listed {
  readonly rules: readonly FaultStatus[]
}

async function planOf(options: { file?: string; rule?: string[]; seed?: number }): Promise<FaultPlanInput> {
  const { file, rule, seed } = options
  if ((file === undefined) === (rule === undefined))
    throw usageError('Nothing says which faults there are to be.', 'Give --file, or --rule once or more.')
  if (file !== undefined && seed !== undefined)
    throw usageError('--seed would not be used: the file is the whole plan.', 'Write "seed" into the file.')
  if (file !== undefined) return json('--file', (await readNamedFile('--file', file)).toString('utf8'))
  const rules = rule!.map((text) => json<NonNullable<FaultPlanInput['rules']>[number]>('--rule', text))
  return seed === undefined ? { rules } : { seed, rules }
}

function json<T>(option: string, text: string): T {
  try {
    return JSON.parse(text) as T
  } catch {
    throw usageError(`What ${option} gives is not JSON.`, 'See docs/faults.md for the form of a rule.')
  }
}

function show(rules: readonly FaultStatus[], output: Output): void {
  if (rules.length === 0 && !output.json) output.result({}, 'No faults')
  for (const rule of rules) {
    const { id, where, fault, counters } = rule
    output.result(rule, `${id}  ${where}  ${fault.kind}  met ${counters.hits} of ${counters.seen}`)
  }
}
