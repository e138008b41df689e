/** One thing that is wrong with a payload, for the developer who wrote it. */
export interface PayloadProblem {
  /** Where: `aps.alert.title`, `aps.alert.loc-args[1]`; '' for the payload as a whole. */
  readonly path: string
  /** `error`: the push is refused, or the device does not do what was meant. `warning`: probably not meant. */
  readonly severity: 'error' | 'warning'
  /** What is wrong, in one sentence. */
  readonly message: string
  /** What to do, in one sentence. */
  readonly fix: string
}

/** "an array", "the text \"1\"": how a value is named in a sentence. */
export function describe(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'string')
    return `the text ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`
  return `${typeof value === 'boolean' ? '' : 'the number '}${String(value)}`
}
