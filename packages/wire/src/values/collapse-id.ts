import { collapseIdBytesMax } from '../limits.ts'
import { utf8Length } from './utf8.ts'

/** True when the value fits into 64 bytes of UTF-8. */
export function isCollapseId(text: string): boolean {
  // A code unit takes at most three bytes, and at least one: most values need no counting.
  if (text.length * 3 <= collapseIdBytesMax) return true
  return text.length <= collapseIdBytesMax && utf8Length(text) <= collapseIdBytesMax
}
