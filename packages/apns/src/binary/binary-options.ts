import { ArgumentError } from '../errors.ts'
import { resolveLimits } from '../resolve-limits.ts'
import { type BinaryLimits, DEFAULT_BINARY_LIMITS } from './binary-limits.ts'
import type { LegacyOptions } from './legacy-target.ts'

/** How to reach the service, and how to send. */
export interface BinaryPushClientOptions extends LegacyOptions {
  /** The form of notifications. 0 has no identifier: one bad notification makes all others ambiguous. Default 2. */
  readonly command?: 0 | 1 | 2
  /**
   * What to do with notifications that were sent on a connection that broke without an answer, so that nobody knows
   * which of them were accepted. `report`: they end as ambiguous, none can arrive twice. `resend`: they are sent
   * again, none is missing. Default `report`.
   */
  readonly whenAmbiguous?: 'report' | 'resend'
  /** Bounds that differ from DEFAULT_BINARY_LIMITS. */
  readonly limits?: Partial<BinaryLimits>
}

export interface ResolvedBinaryOptions {
  readonly command: 0 | 1 | 2
  readonly resends: boolean
  readonly limits: BinaryLimits
}

/** @throws ArgumentError with the name of the option */
export function resolveBinaryOptions(options: BinaryPushClientOptions): ResolvedBinaryOptions {
  const { command = 2, whenAmbiguous = 'report', limits = {} } = options
  if (![0, 1, 2].includes(command)) throw new ArgumentError('command', 'give 0, 1 or 2')
  if (!['report', 'resend'].includes(whenAmbiguous)) {
    throw new ArgumentError('whenAmbiguous', `'report' or 'resend'`)
  }
  return {
    command,
    resends: whenAmbiguous === 'resend',
    limits: resolveLimits(DEFAULT_BINARY_LIMITS, limits, isQuiet),
  }
}

/** For a client that asks at once, or never by itself. */
const isQuiet = (name: keyof BinaryLimits, value: number): boolean => name === 'quietMs' && value >= 0
