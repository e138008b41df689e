import { Command, InvalidArgumentError, type Option } from 'commander'
import { usageError } from './cli-error.ts'
import { type Output, outputFor, reportFailure } from './output.ts'

/**
 * Every command is declared at every start, so the files that do so load nothing heavy: what a command needs to do
 * its work is imported by its action, or by what the action calls.
 *
 * @param operands what stands in the command without an option
 */
type Action<Options> = (options: Options, output: Output, operands: readonly string[]) => Promise<void>

/**
 * A sub-command: its own `--json`, an example in its help, and one place that turns whatever it throws into a
 * sentence and an exit code. Options are declared by the caller on the command that this returns.
 */
export function command<Options>(
  name: string,
  what: string,
  example: string,
  action: Action<Options>,
): Command {
  const made = new Command(name)
  return made
    .description(what)
    .option('--json', 'one JSON object a line on stdout, nothing else there')
    .addHelpText('after', `\nExample:\n  $ ${example}`)
    .action(async () => {
      const options = made.opts() as Options & { json?: boolean }
      // Also where another option has swallowed it: that is told as JSON, too.
      const json = options.json === true || process.argv.includes('--json')
      try {
        refuseSwallowed(made.options, options)
        await action(options, outputFor(json), made.args)
      } catch (error) {
        process.exitCode = reportFailure(error, json)
      }
    })
}

/** `--data --json` would make `--json` the value of `--data`, and a directory of that name. */
function refuseSwallowed(declared: readonly Option[], given: object): void {
  for (const option of declared) {
    const value = (given as Record<string, unknown>)[option.attributeName()]
    if (declared.some(({ long }) => long === value))
      throw usageError(`${option.long} has no value, but ${value} behind it.`, 'Give its value.')
  }
}

/** A whole number that an option takes. */
export function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It is not a whole number.')
}

/** A command that only holds others, with an example of one of them in its help. */
export function group(name: string, what: string, example: string, commands: readonly Command[]): Command {
  const made = new Command(name).description(what).addHelpText('after', `\nExample:\n  $ ${example}`)
  for (const sub of commands) made.addCommand(sub)
  return made
}

/** For an option that may be given several times. */
export function collect(value: string, before: string[] = []): string[] {
  return [...before, value]
}

/** A command and all below it. */
export function everyCommand(from: Command): Command[] {
  return [from, ...from.commands.flatMap((command) => everyCommand(command as Command))]
}

/** A command as it is typed: `carillon portal app list`. */
export function nameOf(command: Command): string {
  return command.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name()
}
