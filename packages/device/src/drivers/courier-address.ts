/** Where a courier listens. */
export interface CourierAddress {
  /** A name or an address, an IPv6 address without brackets. */
  readonly host: string
  readonly port: number
}

// What a courier says is not to be trusted to be a name: an impossible one must not get as far as the socket.
const forms = /^(?:\[(?<ipv6>[0-9a-fA-F:.]{2,45})\]|(?<host>[A-Za-z0-9._-]{1,253}))(?::(?<port>\d{1,5}))?$/

/** The courier that a redirect names, `host` or `host:port`; undefined where it names none. */
export function redirectedAddress(text: string, from: CourierAddress): CourierAddress | undefined {
  const { ipv6, host = ipv6, port = String(from.port) } = forms.exec(text)?.groups ?? {}
  const number = Number(port)
  if (host === undefined || number < 1 || number > 65_535) return undefined
  return { host, port: number }
}
