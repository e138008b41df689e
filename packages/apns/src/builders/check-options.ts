import { ArgumentError, kindOf } from '../errors.ts'

/** A text as it is, or the key of one in the strings of the app, each `%@` filled by one argument. */
export type Text = string | { readonly locKey: string; readonly locArgs?: readonly string[] }

// The compiler finds all of these; programs without it would send a notification that lacks what they wrote.

/** Throws ArgumentError for what is no object of options. */
export const checkOptions = (options: unknown): void => checkObject('options', options)

/** Throws ArgumentError for data that is no object, or would take the place of what the builder made. */
export const checkData = (data: object | undefined): void => {
  if (data === undefined) return
  checkObject('data', data)
  if (Object.hasOwn(data, 'aps'))
    throw new ArgumentError('data.aps', 'give these keys as `aps`, beside `data`')
}

/** Throws ArgumentError for what is no text. */
export const checkText = (field: string, text: Text): void => {
  if (typeof text === 'string') return
  checkObject(field, text, 'a text, or { locKey, locArgs } of one in the strings of the app')
  if (typeof text.locKey !== 'string') {
    throw new ArgumentError(`${field}.locKey`, `give the key of a text, not ${kindOf(text.locKey)}`)
  }
}

/** Throws ArgumentError for 1, 'yes' and whatever else is meant for true. */
export const isOn = (field: string, flag: boolean | undefined): boolean => {
  if (flag === undefined || typeof flag === 'boolean') return flag === true
  throw new ArgumentError(field, `give true or false, not ${kindOf(flag)}`)
}

/** Throws ArgumentError for what has no names of its own. */
export const checkObject = (field: string, value: unknown, wanted = 'an object'): void => {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return
  throw new ArgumentError(field, `give ${wanted}, not ${kindOf(value)}`)
}
