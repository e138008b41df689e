import { utf8Length } from './utf8.ts'

/** Apple: "Sending notification requests to APNs": the value must not exceed 64 bytes (bytes, not characters). */
export const collapseIdBytesMax = 64

/** True when the value fits into 64 bytes of UTF-8. */
export function isCollapseId(text: string): boolean {
  // A code unit takes at most three bytes, and at least one: most values need no counting.
  if (text.length * 3 <= collapseIdBytesMax) return true
  return text.length <= collapseIdBytesMax && utf8Length(text) <= collapseIdBytesMax
}
