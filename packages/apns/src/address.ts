import { isIP } from 'node:net'
import { type Environment, isEnvironment } from '@carillon/wire'
import { ArgumentError } from './errors.ts'

/** Throws ArgumentError for what is no environment. */
export function checkEnvironment(environment: unknown): asserts environment is Environment {
  if (isEnvironment(environment)) return
  throw new ArgumentError('environment', `'sandbox' for development builds of an app, else 'production'`)
}

/** Throws ArgumentError for what nobody can connect to. `prefix`: where the options stand, with its dot. */
export const checkAddress = (prefix: string, host: unknown, port: unknown): void => {
  if (typeof host !== 'string' || host === '') {
    throw new ArgumentError(`${prefix}host`, 'give a name or address')
  }
  // The name of a URL would be looked up as it is, for as long as pushes may wait.
  if (isIP(host) === 0 && /[\s/:@[\]]/.test(host)) {
    throw new ArgumentError(`${prefix}host`, 'give the name or address alone, without scheme, path or port')
  }
  if (!Number.isInteger(port) || (port as number) < 1 || (port as number) > 65_535) {
    throw new ArgumentError(`${prefix}port`, 'give a number from 1 to 65535')
  }
}
