import { CliError } from './cli-error.ts'

/** Where a command speaks: JSON lines on stdout for programs, or sentences for people. */
export interface Output {
  readonly json: boolean
  /** The result: one JSON object a line with `--json`, else the readable text. */
  result(value: object, text: string): void
}

export function outputFor(json: boolean): Output {
  return {
    json,
    result(value, text) {
      process.stdout.write(`${json ? JSON.stringify(value) : text}\n`)
    },
  }
}

/** Tells of a failure on stderr and returns the exit code. Every error class of ours carries `code` and `fix`. */
export function reportFailure(error: unknown, json: boolean): number {
  const { code, message, fix } = explain(error)
  if (json) process.stderr.write(`${JSON.stringify({ error: { code, message, fix } })}\n`)
  else process.stderr.write(`${fix ? `${message} ${fix}` : message}\n`)
  if (code === 'INTERNAL' && process.env.CARILLON_DEBUG) console.error(error)
  return error instanceof CliError ? error.exitCode : 1
}

function explain(error: unknown): { code: string; message: string; fix: string } {
  if (error instanceof Error) {
    const { code, fix } = error as { code?: unknown; fix?: unknown }
    if (typeof code === 'string')
      return { code, message: error.message, fix: typeof fix === 'string' ? fix : '' }
    return {
      code: 'INTERNAL',
      message: error.message,
      fix: 'Set CARILLON_DEBUG=1 to see where this comes from.',
    }
  }
  return { code: 'INTERNAL', message: String(error), fix: '' }
}
