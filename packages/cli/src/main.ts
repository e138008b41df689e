#!/usr/bin/env node
import { CommanderError } from 'commander'
import { program } from './program.ts'

// Wrong usage is exit code 2; commander's own default is 1.
program.exitOverride()
for (const command of everyCommand(program)) command.exitOverride()

try {
  await program.parseAsync(process.argv)
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  process.exitCode = error.exitCode === 0 ? 0 : 2
}

function everyCommand(from: typeof program): (typeof program)[] {
  return from.commands.flatMap((command) => [
    command,
    ...everyCommand(command as typeof program),
  ]) as (typeof program)[]
}
