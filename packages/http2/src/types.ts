import type { EndReason, ErrorCode } from './errors.ts'
import type { Limits } from './limits.ts'
import type { OwnSettings } from './settings.ts'

/**
 * Header fields, flat: `[name0, value0, name1, value1, …]`. Names are lower-case, pseudo-headers come first.
 * Each character is one byte (latin1). A list may be shared between requests: never change one.
 */
export type HeaderList = readonly string[]

/**
 * How the encoder sends a field (RFC 7541 §6.2): `incremental` enters the dynamic table (for values that
 * repeat), `literal` never looks at the table for its value (ids, paths), `never` also forbids every
 * intermediary to index it (secrets that must not be probed).
 */
export type IndexingPolicy = 'incremental' | 'literal' | 'never'

/** Policy by header name; names that are absent are `incremental`. */
export type IndexingPolicies = Readonly<Record<string, IndexingPolicy>>

export interface CommonOptions {
  /** Bounds that differ from the defaults. */
  readonly limits?: Partial<Limits>
  /** Settings to announce that differ from the defaults of this end. */
  readonly settings?: Partial<OwnSettings>
  /** Added to the defaults (`:path` and `content-length` are literal). */
  readonly indexing?: IndexingPolicies
  /** Debug data of the GOAWAY that the engine sends by itself; default: the message of the reason. */
  readonly debugData?: (reason: EndReason) => Uint8Array | undefined
}

/** Memory that several connections share. The engine counts `bytes`; start it at 0. */
export interface ByteBudget {
  bytes: number
  readonly bytesMax: number
}

export interface ServerOptions extends CommonOptions {
  /**
   * What unfinished requests, with their headers, may hold on all connections of the same budget together. The
   * request that goes above it is reset (ENHANCE_YOUR_CALM). Until `leaveBudget`.
   */
  readonly budget?: ByteBudget
  /** Refuse a request that has neither `:authority` nor `host`. Default false: push clients differ here. */
  readonly authorityRequired?: boolean
}

export interface ClientOptions extends CommonOptions {
  /** Streams that may be opened before the server's SETTINGS are here. Default 0: wait for `onCapacity`. */
  readonly streamsBeforeSettings?: number
  /** Send a PING after so many milliseconds without a frame from the server. Default: no PING. */
  readonly keepAliveMs?: number
}

/** What a server does with requests. One object per connection, methods are called on the hot path. */
export interface ServerHandler {
  /**
   * A whole request. `body` may be a view of the receive buffer: it is valid only during this call, copy it
   * to keep it. Answer with `respond` or `reset` now or at any later time.
   */
  onRequest(streamId: number, headers: HeaderList, body: Uint8Array): void
  /** The body is above `requestBodyBytesMax`. Answer (413); what still arrives is thrown away. */
  onBodyTooLarge(streamId: number, headers: HeaderList): void
  /**
   * The request was not whole within `requestMsMax`. Answer; what still arrives is thrown away. Without this
   * method the stream is reset (ENHANCE_YOUR_CALM).
   */
  onRequestTimeout?(streamId: number, headers: HeaderList): void
  /** A request that `onRequest` or `onBodyTooLarge` was called for is void: the peer cancelled, or broke it. */
  onRequestReset(streamId: number, code: ErrorCode): void
  /** Called exactly once, last. Unanswered requests need no answer any more (no `onRequestReset` for them). */
  onEnd(reason: EndReason): void
}

/** What a client learns. `context` is the value given to `request`. Each request ends with exactly one call. */
export interface ClientHandler<C> {
  /** The whole answer. `body` may be valid only during the call, copy it to keep it. */
  onResponse(context: C, status: number, headers: HeaderList, body: Uint8Array): void
  /** The server (or a broken answer) ended the stream; whether the request had an effect is unknown. */
  onReset(context: C, code: ErrorCode): void
  /** The server did not process the request, or it never left: safe to send again, on another connection. */
  onRefused(context: C): void
  /** There is room for requests, after there was none (`availableStreams` was 0, `request` gave -1). */
  onCapacity(): void
  /** The server goes away: no new requests here; those above `lastStreamId` follow as `onRefused`. */
  onGoaway(code: ErrorCode, debugData: Uint8Array, lastStreamId: number): void
  /** Called exactly once, last. What happened to the `unanswered` requests is unknown. */
  onEnd(reason: EndReason, unanswered: C[]): void
}

/** Answer to `ping`: the round trip in milliseconds, or undefined where the connection ended before. */
export type PingCallback = (roundTripMs: number | undefined) => void
