/** Every bound of a `BinaryPushClient`, with what happens when it is reached. Each can be overridden per client. */
export interface BinaryLimits {
  /**
   * Notifications of one connection that the service may still reject. Above: nothing more is sent until it has
   * confirmed them, which takes a new connection; none is ever forgotten unconfirmed.
   */
  historyMax: number
  /** Notifications that wait to be sent. Above: `send` answers `QueueFull` at once. */
  queuedMax: number
  /** Milliseconds that a notification may wait, times on earlier connections included. Above: `DeadlineExceeded`. */
  queuedMsMax: number
  /**
   * Milliseconds after the last notification until the client asks whether all were accepted. The service closes the
   * connection with its answer, so a client that sends now and then may want more, or `Infinity`: then only
   * `flush`, `close` and a full history ask.
   */
  quietMs: number
  /** Milliseconds that the service has for that answer, and to take what is written. Above: the connection is cut. */
  confirmMsMax: number
  /** Milliseconds that `close` lets notifications finish. Above: they end as `ClientClosed`. */
  closeMsMax: number
  /** Connections opened in one minute. Above: the next one waits for the minute to end. */
  connectsPerMinuteMax: number
  /** Cap of the exponential back-off between failed connects; the wait is random between 0 and it (full jitter). */
  reconnectMsMax: number
}

export const DEFAULT_BINARY_LIMITS: Readonly<BinaryLimits> = {
  historyMax: 8192,
  queuedMax: 200_000,
  queuedMsMax: 60_000,
  quietMs: 1000,
  confirmMsMax: 30_000,
  closeMsMax: 30_000,
  connectsPerMinuteMax: 600,
  reconnectMsMax: 20_000,
}

/** Bytes that are given to the socket at once; the next ones when it has taken them. */
export const binaryWriteBytesMax = 64 * 1024
