import { isBundleId } from '@carillon/wire'
import { ArgumentError, kindOf } from './errors.ts'

/** Throws ArgumentError for what is no bare bundle id. */
export function checkBundleId(bundleId: unknown): asserts bundleId is string {
  if (typeof bundleId === 'string' && isBundleId(bundleId)) return
  const found = typeof bundleId === 'string' ? JSON.stringify(bundleId) : kindOf(bundleId)
  throw new ArgumentError('bundleId', `give the bundle id of the app without a suffix, not ${found}`)
}
