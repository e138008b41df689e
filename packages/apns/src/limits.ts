/** Every bound of a client, with what happens when it is reached. Each can be overridden per client. */
export interface Limits {
  /** Pushes that wait for a stream. Above: `send` answers `QueueFull` at once; `sendMany` stops pulling before. */
  queuedMax: number
  /**
   * Milliseconds from `send` to the opening of the last stream, re-sends and pauses included. Above:
   * `DeadlineExceeded` (or `ConnectFailed`); a retry that would come later is not waited for.
   */
  queuedMsMax: number
  /** Milliseconds from the opening of the stream to the answer. Above: the stream is cancelled, `DeadlineExceeded`. */
  answerMsMax: number
  /** How often a push that the service refused unprocessed is sent again. Above: `Refused`. */
  resendsMax: number
  /** Attempts that the service may have processed, the first included. Above: the last failure is the result. */
  attemptsMax: number
  /** Connections of one client. Above: pushes wait for a free stream. */
  connectionsMax: number
  /** Connections opened in one minute. Above: the next one waits for the minute to end. */
  connectsPerMinuteMax: number
  /** Milliseconds for DNS, TCP, TLS and the service's SETTINGS. Above: the attempt counts as failed. */
  connectMsMax: number
  /** Connects that fail in a row. From here on each further failure ends all that waits as `ConnectFailed`. */
  connectFailuresMax: number
  /** Cap of the exponential back-off between failed connects; the wait is random between 0 and it (full jitter). */
  reconnectMsMax: number
  /** A further connection is opened when all are full and their oldest request has waited so many milliseconds. */
  growthMsMin: number
  /** Milliseconds that a connection beyond the first may be idle. Above: it is closed. */
  spareIdleMsMax: number
  /** Milliseconds without a frame from the service until a PING is sent. */
  pingIdleMs: number
  /** Milliseconds without an answer while some are due until a PING is sent. */
  silentMsMax: number
  /** Milliseconds until a PING must be answered. Above: the connection is lost and replaced. */
  pingMsMax: number
  /** Milliseconds that `close` lets queued and open pushes finish. Above: they end as `ClientClosed`. */
  closeMsMax: number
  /** Pushes of one `sendMany` that are queued, open, or answered but not yet consumed. Above: it stops pulling. */
  sendManyMax: number
}

/** The defaults, made for Apple's service: answers in about 100 ms, 1000 streams on a connection. */
export const DEFAULT_LIMITS: Readonly<Limits> = {
  queuedMax: 200_000,
  queuedMsMax: 60_000,
  answerMsMax: 30_000,
  resendsMax: 20,
  attemptsMax: 4,
  connectionsMax: 8,
  connectsPerMinuteMax: 60,
  connectMsMax: 10_000,
  connectFailuresMax: 1_000,
  reconnectMsMax: 20_000,
  growthMsMin: 50,
  spareIdleMsMax: 60_000,
  // Apple: "Sending notification requests to APNs": PING after an hour idle is welcome; other clients use a minute.
  pingIdleMs: 60_000,
  silentMsMax: 10_000,
  pingMsMax: 10_000,
  closeMsMax: 30_000,
  sendManyMax: 2_000,
}

/** Milliseconds that a `retry-after` may ask for. Above: it is taken for this. */
export const retryAfterMsMax = 24 * 3_600_000
/** Bytes of a proxy's answer to CONNECT. Above: the connect fails. */
export const proxyAnswerBytesMax = 16_384
/** Signers that a process keeps, one per key. Above: the one unused for longest is forgotten. */
export const signersMax = 1_000
/** Milliseconds between two ticks while pushes are pending: the grain of every deadline. */
export const tickMs = 50
/** Milliseconds between two ticks while none is pending. */
export const idleTickMs = 5_000
/** First step of the back-off after a failed connect; it doubles with each further failure. */
export const reconnectMsFirst = 100
/** First pause of a connection that refuses streams again and again; it doubles up to `refusalPauseMsMax`. */
export const refusalPauseMsFirst = 10
/** Longest pause of a connection that refuses streams. */
export const refusalPauseMsMax = 1_000
