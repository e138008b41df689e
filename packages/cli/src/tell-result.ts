import type { Output } from './output.ts'

interface Refused {
  readonly ok: false
  /** 0 where nobody answered. */
  readonly status: number
  readonly reason: string
  readonly hint: string
}

/**
 * Tells what the push service answered. A refusal is the result of the command all the same: with `--json` it is
 * on stdout; for people it is on stderr; the exit code is 1.
 */
export function tellResult<Result extends { readonly ok: true } | Refused>(
  result: Result,
  output: Output,
  readable: (accepted: Extract<Result, { readonly ok: true }>) => string,
): void {
  if (result.ok) return output.result(result, readable(result as Extract<Result, { readonly ok: true }>))
  process.exitCode = 1
  const text = `${result.status || 'Not answered:'} ${result.reason}. ${result.hint.replace(/\.?$/, '.')}`
  if (output.json) output.result(result, text)
  else process.stderr.write(`${text}\n`)
}
