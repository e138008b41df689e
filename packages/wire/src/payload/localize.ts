/** The texts of an alert, looked up in the app's strings where the payload asks for it. */

type Strings = { readonly [key: string]: string }

/**
 * One text of an alert: the localised one where its key is in `strings`, else the plain one, else the key itself
 * with its arguments filled in. The plain value may be an object with `loc-key`, as in Live Activities. Undefined
 * when there is no text.
 */
export function localizedText(
  alert: Readonly<Record<string, unknown>>,
  plainKey: string,
  locKey: string,
  argsKey: string,
  strings: Strings,
): string | undefined {
  const plain = alert[plainKey]
  if (typeof plain === 'object' && plain !== null) {
    return localizedText(plain as Record<string, unknown>, '', 'loc-key', 'loc-args', strings)
  }
  const key = alert[locKey]
  const plainText = typeof plain === 'string' && plain !== '' ? plain : undefined
  if (typeof key !== 'string' || key === '') return plainText
  const format = Object.hasOwn(strings, key) ? strings[key] : undefined
  if (format === undefined && plainText !== undefined) return plainText
  return fillFormat(format ?? key, alert[argsKey])
}

/**
 * Fills `%@` with one argument after the other, `%1$@` with the one of that number, `%%` with a percent sign. An
 * argument that is missing, or neither text nor number, leaves nothing in its place.
 */
export function fillFormat(format: string, args: unknown): string {
  const values: readonly unknown[] = Array.isArray(args) ? args : []
  let next = 0
  return format.replace(/%(?:(\d{1,2})\$)?@|%%/g, (match, position: string | undefined) => {
    if (match === '%%') return '%'
    const value = values[position === undefined ? next++ : Number(position) - 1]
    return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
  })
}
