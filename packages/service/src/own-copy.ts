/**
 * The bytes in memory that belongs to nobody else: what a socket brought is a view of its receive buffer. Not `slice`:
 * that view is a Buffer, whose `slice` would be one as well. Copies share memory slabs, which is cheaper than an
 * allocation for each.
 */
export function ownCopy(bytes: Uint8Array): Uint8Array {
  return Buffer.from(bytes)
}
