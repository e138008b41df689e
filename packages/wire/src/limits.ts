/* Every limit of this package, and what happens when it is reached. First the byte codecs. */

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

/* Values of the provider API. */

/** Apple: "Registering your app with APNs": a token's size is not to be assumed. A longer one is BadDeviceToken. */
export const deviceTokenBytesMax = 100

/** Apple, "Sending notification requests to APNs": bytes, not characters. A longer one is BadCollapseId. */
export const collapseIdBytesMax = 64

/**
 * The unsigned 32-bit maximum, the year 2106: the binary protocol and the courier carry the same value in 32 bits.
 * A later `apns-expiration` is BadExpirationDate.
 */
export const expirationSecondsMax = 0xffff_ffff

/** Apple, "Sending notification requests to APNs": 30 days. A notification without expiration is dropped then. */
export const storedSecondsMax = 30 * 24 * 60 * 60

/** Chosen, so that every topic made of a bundle id stays short. A longer one cannot become an App ID. */
export const bundleIdLengthMax = 155

/** The longest bundle id and suffix, with room to spare. A longer topic is BadTopic. */
export const topicLengthMax = 255

/* Payloads. */

/** Apple, "Generating a remote notification": device pushes but voip. A larger one is PayloadTooLarge. */
export const payloadBytesMax = 4096

/** The same for voip pushes. */
export const voipPayloadBytesMax = 5120

/** Apple, "Sending broadcast push notification requests to APNs". A larger one is PayloadTooLarge. */
export const broadcastPayloadBytesMax = 5120

/**
 * Objects and arrays inside each other. A deeper payload is refused: readers of other languages that recurse would
 * run out of stack.
 */
export const payloadDepthMax = 512

/* Channels. */

/** Apple, "Sending channel management requests to APNs": per app and environment; then CannotCreateChannelConfig. */
export const channelsPerAppMax = 10_000

/** The same page: how long a channel with policy 1 keeps its message at most; it is dropped then. */
export const channelStoredSecondsMax = 8 * 60 * 60

/** Unverified against Apple: the limit is not published. A longer id is BadChannelId, unread. */
export const channelIdLengthMax = 128
