/* Every limit of the byte codecs, and what happens when it is reached. */

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

/** Apple, "Binary Provider API": a device token item has at most 100 bytes. A longer one has status 5. */
export const binaryTokenBytesMax = 100

/** Apple, "Binary Provider API": payload limit since iOS 8, for all commands. A longer one has status 7. */
export const binaryPayloadBytesMax = 2048

/** Payload limit of commands 0 and 1 before iOS 8, for services that want to be that strict. */
export const binaryPayloadBytesMaxOriginal = 256

/** Payload limit of VoIP topics. Unverified against Apple: known from client libraries only. */
export const binaryPayloadBytesMaxVoip = 4096

/**
 * Longest command 2 frame that is buffered: an item of the largest length that can be written, and the others.
 * So a payload of any length gets status 7; a frame announced longer has status 128.
 */
export const binaryFrameBytesMax = 66 * 1024

/**
 * Longest token of a feedback tuple, that of the binary interface's token item. A tuple with a longer token,
 * or none, is corrupt.
 */
export const feedbackTokenBytesMax = 100
