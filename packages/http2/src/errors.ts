/** HTTP/2 error codes (RFC 9113 §7). */
export const ErrorCode = {
  NO_ERROR: 0x0,
  PROTOCOL_ERROR: 0x1,
  INTERNAL_ERROR: 0x2,
  FLOW_CONTROL_ERROR: 0x3,
  SETTINGS_TIMEOUT: 0x4,
  STREAM_CLOSED: 0x5,
  FRAME_SIZE_ERROR: 0x6,
  REFUSED_STREAM: 0x7,
  CANCEL: 0x8,
  COMPRESSION_ERROR: 0x9,
  CONNECT_ERROR: 0xa,
  ENHANCE_YOUR_CALM: 0xb,
  INADEQUATE_SECURITY: 0xc,
  HTTP_1_1_REQUIRED: 0xd,
} as const

/** A code of {@link ErrorCode}, or any other 32-bit number: a peer may send codes that nobody has registered. */
export type ErrorCode = number

const names = new Map<number, string>(Object.entries(ErrorCode).map(([name, code]) => [code, name]))

/** The name of an error code for messages and logs; an unregistered code as hexadecimal. */
export const errorCodeName = (code: ErrorCode): string => names.get(code) ?? `0x${code.toString(16)}`

/**
 * Why a connection ended:
 * - `peerClosed`: the peer closed the transport, with no error
 * - `peerGoaway`: the peer sent GOAWAY (its code in `code`) and what it accepted is finished
 * - `drained`: our own `drain()` came to its end
 * - `closed`: our own `goaway()` or `close()`
 * - `protocolError`: the peer broke a rule of RFC 9113 or RFC 7541
 * - `limit`: the peer went over one of our limits
 * - `timeout`: preface, SETTINGS acknowledgement, PING answer, idle time, stalled output
 * - `transportError`: the transport failed (refused, reset, TLS handshake), see `cause`
 * - `internalError`: a handler threw, or a bug of the engine, see `cause`
 */
export type EndKind =
  | 'peerClosed'
  | 'peerGoaway'
  | 'drained'
  | 'closed'
  | 'protocolError'
  | 'limit'
  | 'timeout'
  | 'transportError'
  | 'internalError'

/** Given once to `onEnd`. `code` is what was sent or received in GOAWAY, `message` is a sentence for the log. */
export interface EndReason {
  readonly kind: EndKind
  readonly code: ErrorCode
  readonly message: string
  readonly cause?: unknown
}

/** What the caller of the engine did wrong: stable `code`, a sentence with the fix in `message`. */
export class Http2UsageError extends Error {
  override readonly name = 'Http2UsageError'
  readonly code: 'INVALID_HEADER' | 'INVALID_OPTION'

  constructor(code: 'INVALID_HEADER' | 'INVALID_OPTION', message: string) {
    super(message)
    this.code = code
  }
}

/** Ends the connection: thrown inside `receive` and caught there, never seen by a caller. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
  readonly kind: EndKind
  readonly errorCode: ErrorCode

  constructor(errorCode: ErrorCode, message: string, kind: EndKind = 'protocolError') {
    super(message)
    this.errorCode = errorCode
    this.kind = kind
  }
}
