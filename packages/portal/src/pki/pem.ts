/** PEM as of RFC 7468: 64 characters a line. */
export function encodePem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

/** The first block with one of the labels, or undefined. Text around it is allowed. */
export function decodePem(text: string, ...labels: readonly string[]): Uint8Array | undefined {
  for (const label of labels) {
    const begin = `-----BEGIN ${label}-----`
    const start = text.indexOf(begin)
    const end = text.indexOf(`-----END ${label}-----`, start)
    if (start === -1 || end === -1) continue
    const base64 = text.slice(start + begin.length, end).replace(/\s+/g, '')
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64) || base64.length % 4 !== 0) continue
    return new Uint8Array(Buffer.from(base64, 'base64'))
  }
  return undefined
}
