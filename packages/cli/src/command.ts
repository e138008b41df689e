import { Command } from 'commander'
import { type Output, outputFor, reportFailure } from './output.ts'

type Action<Options> = (options: Options, output: Output) => Promise<void>

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
  return new Command(name)
    .description(what)
    .option('--json', 'one JSON object a line on stdout, nothing else there')
    .addHelpText('after', `\nExample:\n  $ ${example}`)
    .action(async (options: Options & { json?: boolean }) => {
      const json = options.json === true
      try {
        await action(options, outputFor(json))
      } catch (error) {
        process.exitCode = reportFailure(error, json)
      }
    })
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
