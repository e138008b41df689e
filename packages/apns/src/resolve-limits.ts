import { ArgumentError } from './errors.ts'

/**
 * The defaults, and in their place what was given. `isAllowed`: which of the numbers that are no whole number of 1
 * or more mean something for a limit. Throws ArgumentError with the name of the limit.
 */
export const resolveLimits = <Name extends string>(
  defaults: Readonly<Record<Name, number>>,
  given: Partial<Record<Name, number | undefined>>,
  isAllowed: (name: Name, value: number) => boolean,
): Record<Name, number> => {
  const limits: Record<Name, number> = { ...defaults }
  for (const [name, value] of Object.entries(given) as [Name, number | undefined][]) {
    if (!Object.hasOwn(defaults, name)) throw new ArgumentError(`limits.${name}`, 'there is no such limit')
    if (value === undefined) continue
    if (!(Number.isInteger(value) && value >= 1) && !isAllowed(name, value)) {
      throw new ArgumentError(`limits.${name}`, `give a whole number, ${isAllowed(name, 0) ? 0 : 1} or more`)
    }
    limits[name] = value
  }
  return limits
}
