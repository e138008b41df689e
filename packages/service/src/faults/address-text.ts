import { isIPv6, SocketAddress } from 'node:net'

/**
 * An address as this service compares it: as the system writes that of a client, and IPv4 in its own form, which a
 * listener on both families writes in the longer one.
 */
export function addressText(address: string): string {
  if (!isIPv6(address)) return address
  const text = new SocketAddress({ address, family: 'ipv6' }).address
  return text.startsWith('::ffff:') && text.includes('.') ? text.slice(7) : text
}
