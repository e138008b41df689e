import { ArgumentError, kindOf } from './errors.ts'

/** Throws ArgumentError for what cannot abort anything. */
export const checkSignal = (signal: unknown): void => {
  if (signal === undefined || signal instanceof AbortSignal) return
  throw new ArgumentError('signal', `give an AbortSignal, not ${kindOf(signal)}`)
}
