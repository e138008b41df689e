import { encodeDeviceToken, FeedbackReader, WireError } from '@carillon/wire'
import {
  type LegacyTransport,
  type OpenLegacyTransport,
  openLegacyTransport,
} from '../binary/drivers/legacy-transport.ts'
import { LegacyError, legacyConnectFailure } from '../binary/legacy-error.ts'
import { type LegacyOptions, type LegacyTarget, legacyTargetOf } from '../binary/legacy-target.ts'
import { ArgumentError } from '../errors.ts'

/** A token whose app is gone from its device. */
export interface GoneToken {
  /** Lower-case hex. */
  readonly token: string
  /**
   * When the service knew, in whole seconds. Stop sending only if the token was not registered again since.
   */
  readonly at: Date
}

/** How to reach the service, and how long to wait for it. */
export interface FeedbackClientOptions extends LegacyOptions {
  /** Milliseconds without a byte of the service; then the reading fails, and nothing is lost. Default 60,000. */
  readonly silentMsMax?: number
}

/** Tokens read from the service and not asked for yet; above it nothing more is read. */
const bufferedMax = 1000

/**
 * Reads the feedback service: the tokens of one app whose app was removed from the device. Apple switched it off on
 * 31 March 2021; today the answer 410 of `PushClient` says the same.
 *
 * ```ts
 * const feedback = new FeedbackClient({ auth: { type: 'certificate', cert, key }, environment: 'production', host, ca })
 * for await (const { token, at } of feedback) await stopSending(token, at)
 * ```
 *
 * Each iteration is one connection and ends with the list, which the service then forgets. Where the loop is left
 * early, by `break` or an exception, the service is shown a broken connection and tells all of it the next time;
 * so a token may come twice and is never missed. Read the list once a day or once an hour.
 */
export class FeedbackClient implements AsyncIterable<GoneToken> {
  readonly #target: LegacyTarget
  readonly #open: OpenLegacyTransport

  /** `open`: the network, for simulations. @throws ArgumentError with the name of the option */
  constructor(options: FeedbackClientOptions, open: OpenLegacyTransport = openLegacyTransport) {
    const target = legacyTargetOf(options, 'feedback')
    const { silentMsMax = 60_000 } = options
    if (!Number.isInteger(silentMsMax) || silentMsMax < 1) {
      throw new ArgumentError('silentMsMax', 'give a whole number, 1 or more')
    }
    this.#target = { ...target, silentMsMax }
    this.#open = open
  }

  /** @throws LegacyError where there is no connection, or it ended in the middle of the list */
  async *[Symbol.asyncIterator](): AsyncGenerator<GoneToken, void, undefined> {
    const reading = new Reading(this.#target, this.#open)
    let hasAll = false
    try {
      for (let token = await reading.next(); token !== undefined; token = await reading.next()) yield token
      hasAll = true
    } finally {
      if (hasAll) await reading.finish()
      else reading.abort()
    }
  }
}

/** One connection. */
class Reading {
  readonly #target: LegacyTarget
  readonly #reader = new FeedbackReader()
  readonly #transport: LegacyTransport
  readonly #tokens: GoneToken[] = []
  #at = 0
  #isOpen = false
  #hasData = false
  #hasEnded = false
  #isClosed = false
  #error: Error | undefined
  #wake: () => void = () => {}

  constructor(target: LegacyTarget, open: OpenLegacyTransport) {
    this.#target = target
    this.#transport = open(target, {
      onOpen: () => {
        this.#isOpen = true
      },
      onBytes: (bytes) => this.#receive(bytes),
      onEnd: () => {
        this.#hasEnded = true
        this.#wake()
      },
      onClose: (error) => {
        this.#isClosed = true
        this.#error ??= error
        this.#wake()
      },
    })
  }

  async next(): Promise<GoneToken | undefined> {
    for (;;) {
      const token = this.#tokens[this.#at]
      if (token !== undefined) {
        this.#at += 1
        return token
      }
      this.#tokens.length = 0
      this.#at = 0
      if (this.#error !== undefined || this.#isClosed) throw this.#failure()
      if (this.#hasEnded) {
        if (this.#reader.pendingBytes === 0) return undefined
        throw new LegacyError('CUT_OFF', `${this.#address} ended in the middle of a tuple.`)
      }
      this.#transport.resume()
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  /** Shows the service that everything was taken; resolves when the connection is closed. */
  async finish(): Promise<void> {
    this.#transport.end()
    while (!this.#isClosed) await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  abort(): void {
    this.#transport.abort()
  }

  get #address(): string {
    return `${this.#target.host}:${this.#target.port}`
  }

  #receive(bytes: Uint8Array): void {
    this.#hasData = true
    this.#reader.push(bytes)
    try {
      for (let tuple = this.#reader.next(); tuple !== undefined; tuple = this.#reader.next()) {
        this.#tokens.push({ token: encodeDeviceToken(tuple.token), at: new Date(tuple.atSeconds * 1000) })
      }
    } catch (cause) {
      if (!(cause instanceof WireError)) throw cause
      this.#error = new LegacyError(
        'DAMAGED',
        `${this.#address} does not speak the feedback protocol.`,
        cause,
      )
      this.#transport.abort()
    }
    if (this.#tokens.length >= bufferedMax) this.#transport.pause()
    this.#wake()
  }

  #failure(): LegacyError {
    const cause = this.#error
    if (cause instanceof LegacyError) return cause
    if (!this.#isOpen) {
      return new LegacyError('CONNECT_FAILED', legacyConnectFailure(this.#target, cause).message, cause)
    }
    const why = this.#hasData
      ? 'before the list was read; all of it comes again'
      : 'at once: it refuses the certificate, if that is expired, revoked, or of another environment'
    return new LegacyError('CUT_OFF', `${this.#address} broke the connection ${why}.`, cause)
  }
}
