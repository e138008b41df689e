import { ServiceError } from '../service-error.ts'
import type { KeepAliveBounds } from './session-host.ts'

/** Apple's courier was seen to use 600, 900 and 1800 s; shorter finds sooner what a router has dropped. */
export const keepAliveDefaults: KeepAliveBounds = {
  keepAliveSecondsMin: 60,
  keepAliveSeconds: 300,
  keepAliveSecondsMax: 1800,
}

/**
 * The defaults with what was given in their place.
 * @throws ServiceError OPTION_INVALID where they are out of order, or more than the field in `connected` holds
 */
export function keepAliveOf(given: Partial<KeepAliveBounds> = {}): KeepAliveBounds {
  const bounds = { ...keepAliveDefaults, ...given }
  const { keepAliveSecondsMin: least, keepAliveSeconds: first, keepAliveSecondsMax: most } = bounds
  if (Number.isInteger(first) && 1 <= least && least <= first && first <= most && most <= 0xffff)
    return bounds
  throw new ServiceError(
    'OPTION_INVALID',
    `keepAlive is ${least}, ${first} and ${most} s.`,
    'Give keepAliveSecondsMin, keepAliveSeconds and keepAliveSecondsMax in ascending order, from 1 to 65535.',
  )
}
