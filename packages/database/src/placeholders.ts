/**
 * Rewrites `?` placeholders as `$1`, `$2`, … for PostgreSQL, leaving those in strings, quoted names and
 * comments alone. Operators that contain a question mark (jsonb) cannot be written this way.
 */
export function numberPlaceholders(sql: string): string {
  let count = 0
  return sql.replace(skippedOrPlaceholder, (match) => (match === '?' ? `$${++count}` : match))
}

/** A string, a quoted name, a comment of either kind, or a placeholder. */
const skippedOrPlaceholder = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\?/g
