/** The hex digits of a device token, from text with anything in between or from bytes. */
export const token = (input: string | Buffer): string => {
  const text = Buffer.isBuffer(input) ? input.toString('hex') : input
  const digits = text.replace(/[^0-9a-f]/gi, '')
  if (digits.length === 0) throw new Error('Token has invalid length')
  return digits
}
