/**
 * Every bound of a connection, with what happens when it is reached. All can be overridden per connection.
 * "Calm" below means: connection error ENHANCE_YOUR_CALM (GOAWAY, then the transport is closed).
 */
export interface Limits {
  /** Compressed bytes of one header block, CONTINUATION included. Above: calm. */
  headerBlockBytesMax: number
  /** CONTINUATION frames of one header block, empty ones too. Above: calm. */
  continuationFramesMax: number
  /** Bytes of one request body (server). Above: `onBodyTooLarge`, the rest is discarded. */
  requestBodyBytesMax: number
  /** Bytes of one response body (client). Above: RST_STREAM(CANCEL), `onReset` with ENHANCE_YOUR_CALM. */
  responseBodyBytesMax: number
  /** Bytes of unfinished bodies on one connection. Above: RST_STREAM(ENHANCE_YOUR_CALM) for the stream. */
  gatheredBytesMax: number
  /** Bytes of a body that are read and thrown away after an early answer. Above: RST_STREAM(NO_ERROR). */
  discardedBytesMax: number
  /** Milliseconds that the rest of a request may take after an early answer. Above: RST_STREAM(NO_ERROR). */
  discardMsMax: number
  /** SETTINGS frames (acknowledgements apart) a second. Above: calm. */
  settingsPerSecondMax: number
  /** PING frames a second. Above: calm. */
  pingsPerSecondMax: number
  /** Streams a second that the peer cancelled before their answer, or broke so that we reset them. Above: calm. */
  resetsPerSecondMax: number
  /** Streams a second that we refuse because the peer is above MAX_CONCURRENT_STREAMS. Above: calm. */
  refusalsPerSecondMax: number
  /** PRIORITY frames, and frames of unknown type, a second. Above: calm. */
  ignoredFramesPerSecondMax: number
  /** DATA frames without payload and without END_STREAM a second. Above: calm. */
  emptyDataPerSecondMax: number
  /** WINDOW_UPDATE frames a second, beyond two for each DATA frame that we sent. Above: calm. */
  windowUpdatesPerSecondMax: number
  /** Milliseconds from the start until the peer's preface and SETTINGS are here. Above: PROTOCOL_ERROR, closed. */
  prefaceMsMax: number
  /** Milliseconds until our SETTINGS are acknowledged. Above: connection error SETTINGS_TIMEOUT. */
  settingsAckMsMax: number
  /** Milliseconds a header block or frame may stay unfinished. Above: calm. */
  unfinishedFrameMsMax: number
  /** Milliseconds a request may take to arrive whole (server). Above: `onRequestTimeout`, else RST_STREAM (calm). */
  requestMsMax: number
  /** Milliseconds without a frame and without an open stream. Above: GOAWAY(NO_ERROR), closed. */
  idleMsMax: number
  /** Milliseconds until a PING of ours is answered. Above: closed, kind `timeout`. */
  pingAckMsMax: number
  /** Milliseconds for open streams to finish after `drain()` or a peer's GOAWAY. Above: closed. */
  drainMsMax: number
  /** Milliseconds that bytes for the peer may wait with no progress (socket or flow control). Above: closed. */
  stalledOutputMsMax: number
  /** Bytes for the peer held in memory, socket buffer included. Above: closed at once, as a slow reader. */
  outputBytesMax: number
  /** Bytes waiting in the socket: above, a server reads nothing more and a client takes no requests. */
  outputBytesPause: number
}

/** Defaults for both ends; bodies of pushes are at most 5 kB, so these leave room for API calls too. */
export const DEFAULT_LIMITS: Readonly<Limits> = {
  headerBlockBytesMax: 32_768,
  continuationFramesMax: 8,
  requestBodyBytesMax: 65_536,
  responseBodyBytesMax: 4_194_304,
  gatheredBytesMax: 16_777_216,
  discardedBytesMax: 32_768,
  discardMsMax: 1000,
  settingsPerSecondMax: 20,
  pingsPerSecondMax: 200,
  resetsPerSecondMax: 1000,
  refusalsPerSecondMax: 20_000,
  ignoredFramesPerSecondMax: 2000,
  emptyDataPerSecondMax: 200,
  windowUpdatesPerSecondMax: 2000,
  prefaceMsMax: 10_000,
  settingsAckMsMax: 10_000,
  unfinishedFrameMsMax: 10_000,
  requestMsMax: 60_000,
  idleMsMax: 3_600_000,
  pingAckMsMax: 20_000,
  drainMsMax: 30_000,
  stalledOutputMsMax: 30_000,
  outputBytesMax: 8_388_608,
  outputBytesPause: 262_144,
}

/** A client keeps its connection as long as the server does. */
export const DEFAULT_CLIENT_LIMITS: Readonly<Limits> = {
  ...DEFAULT_LIMITS,
  idleMsMax: Number.POSITIVE_INFINITY,
}
