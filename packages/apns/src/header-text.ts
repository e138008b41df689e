/** Visible ASCII: what a header value may hold without question. RFC 9110 §5.5 */
export const isHeaderText = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x21 || code > 0x7e) return false
  }
  return text !== ''
}
