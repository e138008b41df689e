/** 1 for each ASCII character code that is a hex digit of either case. */
const isDigit = new Uint8Array(128)
for (const digit of '0123456789abcdefABCDEF') isDigit[digit.charCodeAt(0)] = 1

/** True when every character from `start` to `end` is a hex digit of either case; true for an empty range. */
export function isHex(text: string, start = 0, end = text.length): boolean {
  for (let index = start; index < end; index++) {
    const code = text.charCodeAt(index)
    if (code > 127 || isDigit[code] === 0) return false
  }
  return true
}
