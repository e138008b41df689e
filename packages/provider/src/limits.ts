const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs

/** The limits of this package, each with what happens when it is reached. */
export const limits = {
  /** Bytes of a request body; a longer one is refused with 413. */
  requestBytesMax: 1024 * 1024,
  /** Tokens of one message; more are refused with 400: send several messages. */
  tokensPerMessageMax: 1000,
  /** Objects and arrays inside each other in `apns.payload`; deeper ones are refused with 400. */
  payloadDepthMax: 500,
  /** Characters of an Idempotency-Key; a longer one is refused with 400. */
  idempotencyKeyLengthMax: 255,
  /** Characters of `user` and `locale` of a device; longer ones are refused with 400. */
  attributeLengthMax: 255,
  /** Characters of a PEM text; longer ones are refused with 400. */
  pemLengthMax: 64 * 1024,
  /** How long a message is tried and stored when it names no time itself. */
  expirationDefaultMs: 28 * dayMs,
  /** The longest time that a message may name; Apple stores for 30 days at most. */
  expirationMsMax: 30 * dayMs,
  /** How long a message with expiration 0 ("now or never") is tried; then it counts as expired. */
  immediateMsMax: 30_000,
  /** Messages are kept so long for their status and their Idempotency-Key; then they are deleted. */
  messageKeptMs: 31 * dayMs,
  /** Messages deleted in one step of the sweep, few because each may have many recipients; the next step follows. */
  sweptPerStepMax: 50,
  /** Time between two sweeps. */
  sweepEveryMs: 60 * minuteMs,
  /** Time for which a claimed recipient belongs to its dispatcher; then another one may send it again. */
  leaseMs: 5 * minuteMs,
  /** Recipients of one app and environment that are being sent; further ones stay in the outbox. */
  inFlightPerLaneMax: 1000,
  /** Recipients that one claim takes. */
  claimedAtOnceMax: 500,
  /** Messages whose payload is kept in memory; further ones are read from the database again. */
  messagesCachedMax: 2000,
  /** Apps and environments that are known to be registered without asking the database; then all are asked again. */
  lanesRememberedMax: 10_000,
  /** Attempts for one recipient; then it fails with AttemptsExhausted. */
  attemptsMax: 1000,
  /** Wait after an app could not be served (the database, its credentials); doubles with each further failure. */
  laneRetryMsFirst: 1000,
  /** The longest such wait. */
  laneRetryMsMax: minuteMs,
  /** The longest sleep of a dispatcher; then it looks again. */
  sleepMsMax: 60 * minuteMs,
  /** Time that `close` gives to requests and to sends under way; what is unfinished is sent by the next start. */
  closeMsMax: 5_000,
} as const
