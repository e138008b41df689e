import { CommanderError } from 'commander'
import { usageError } from './cli-error.ts'
import { everyCommand, nameOf } from './command.ts'
import { reportFailure } from './output.ts'
import { program } from './program.ts'

// Wrong usage is exit code 2 (commander's own default is 1) and told like every other failure.
let wronglyUsed = program
for (const command of everyCommand(program)) {
  command.exitOverride()
  command.configureOutput({
    outputError: () => {
      wronglyUsed = command
    },
  })
}

/** Runs the command that the arguments name; the exit code is left in `process.exitCode`. */
export async function run(argv: readonly string[]): Promise<void> {
  try {
    await program.parseAsync(argv)
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    process.exitCode = exitCodeOf(error)
  }
}

function exitCodeOf({ exitCode, code, message }: CommanderError): number {
  if (exitCode === 0) return 0
  // A command that only holds others was given alone: its help has been shown.
  if (code === 'commander.help') return 2
  const sentence = message
    .replace(/^error: /, '')
    .replaceAll('\n', ' ')
    .replace(/\.?$/, '.')
  const fix = `See \`${nameOf(wronglyUsed)} --help\`.`
  return reportFailure(
    usageError(`${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}`, fix),
    process.argv.includes('--json'),
  )
}
