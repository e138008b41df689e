import { ArgumentError, kindOf } from './errors.ts'

/** The JSON of a payload that is neither text nor bytes. Throws ArgumentError for what JSON cannot hold as an object. */
export const jsonText = (payload: object): string => {
  checkPayloadType(payload)
  let text: string | undefined
  try {
    text = JSON.stringify(payload)
  } catch (cause) {
    throw new ArgumentError('payload', 'cannot be written as JSON (a cycle, or a BigInt?)', cause)
  }
  // `toJSON` of an object may give nothing.
  if (text === undefined) throw new ArgumentError('payload', 'cannot be written as JSON')
  return text
}

/** Throws ArgumentError for a payload of the wrong type. */
export function checkPayloadType(payload: unknown): asserts payload is object | string | Uint8Array {
  if (typeof payload === 'string' || (typeof payload === 'object' && payload !== null)) return
  throw new ArgumentError('payload', `give an object, a JSON string or bytes, not ${kindOf(payload)}`)
}
