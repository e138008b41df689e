import type { PayloadProblem } from '@carillon/wire'

/**
 * What the caller wrote wrong: thrown by the constructor, rejected by `send`. A stable `code`, the name of the
 * argument in `field`, and a sentence with the fix. Never contains a key, certificate or password.
 */
export class ArgumentError extends TypeError {
  override readonly name = 'ArgumentError'
  readonly code = 'ERR_APNS_ARGUMENT'
  readonly field: string
  /** With a payload: everything that is wrong with it. */
  readonly problems: readonly PayloadProblem[]

  constructor(field: string, message: string, cause?: unknown, problems: readonly PayloadProblem[] = []) {
    super(`${field}: ${message}`, cause === undefined ? undefined : { cause })
    this.field = field
    this.problems = problems
  }
}

/** What a value is, for messages, without saying the value itself: it may be a secret. */
export const kindOf = (value: unknown): string => {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object') return withArticle(value.constructor?.name || 'object')
  return value === undefined ? 'nothing' : `a ${typeof value}`
}

const withArticle = (name: string): string => `${/^[aeiou]/i.test(name) ? 'an' : 'a'} ${name}`
