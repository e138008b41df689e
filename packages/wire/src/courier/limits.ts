/** Longest courier frame, TLV or packed, header included. A longer one is corrupt: the connection is closed. */
export const courierFrameBytesMax = 64 * 1024

/** Nesting of packed dictionaries and arrays. A deeper value is corrupt. */
export const packedDepthMax = 16

/** Keys that a packed key table holds; the oldest leaves. */
export const packedKeysMax = 32

/** Size of a packed value table when ALPN names none. Oldest values leave; a larger value is never cached. */
export const packedTableBytesDefault = 4096

/** Largest packed value table that we agree to, whatever the peer asks for. */
export const packedTableBytesMax = 64 * 1024
