/**
 * The number of bytes that `text` takes as UTF-8, without encoding it. A lone surrogate counts as the three
 * bytes of U+FFFD, which is what TextEncoder writes for it.
 */
export function utf8Length(text: string): number {
  let bytes = text.length
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code < 0x80) continue
    if (code < 0x800) {
      bytes += 1
      continue
    }
    bytes += 2
    // A surrogate pair is two code units and four bytes: 2 + 2 here, and its second half adds nothing.
    if (code >= 0xd800 && code < 0xdc00 && index + 1 < text.length) {
      const next = text.charCodeAt(index + 1)
      if (next >= 0xdc00 && next < 0xe000) index += 1
    }
  }
  return bytes
}
