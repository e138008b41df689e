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
