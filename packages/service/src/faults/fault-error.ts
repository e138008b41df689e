import type { z } from 'zod'

export type FaultErrorCode =
  /** A rule or a plan is not one: the message names the field. */
  | 'FAULT_INVALID'
  /** No rule has this id. */
  | 'FAULT_UNKNOWN'
  /** Another rule has this id. */
  | 'FAULT_EXISTS'
  /** The plan is full. */
  | 'FAULT_LIMIT'

/** What is wrong with a fault rule: `message` names the field, `fix` says what to do. */
export class FaultError extends Error {
  override readonly name = 'FaultError'
  readonly code: FaultErrorCode
  readonly fix: string

  constructor(code: FaultErrorCode, message: string, fix: string) {
    super(message)
    this.code = code
    this.fix = fix
  }
}

/** The first thing that a schema found, as a sentence: `rules.0.fault.ms: …`. */
export function faultErrorOf(error: z.ZodError): FaultError {
  const [issue] = error.issues
  const path = issue?.path.join('.') ?? ''
  const message = `${path === '' ? 'fault' : path}: ${issue?.message ?? 'invalid'}.`
  return new FaultError('FAULT_INVALID', message, 'Each fault and its fields: docs/faults.md.')
}
