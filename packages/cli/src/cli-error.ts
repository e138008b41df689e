/** What a command could not do: one sentence, what to do about it, and the exit code (1 failed, 2 wrong usage). */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly code: string
  readonly fix: string
  readonly exitCode: 1 | 2

  constructor(code: string, message: string, fix: string, exitCode: 1 | 2 = 1, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.fix = fix
    this.exitCode = exitCode
  }
}

/** Options that contradict each other or lack something: exit code 2. */
export function usageError(message: string, fix: string): CliError {
  return new CliError('USAGE', message, fix, 2)
}
