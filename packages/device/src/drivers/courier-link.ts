import { limits } from '../limits.ts'
import { BackOff } from '../session/back-off.ts'
import type { CourierSession, SessionEnd } from '../session/courier-session.ts'
import { HandledNotifications } from '../session/handled-notifications.ts'
import type { DeviceIdentity } from '../session/identity.ts'
import { type ConnectionHandler, CourierConnection } from './courier-connection.ts'
import type { Dial } from './transport.ts'

export interface CourierLinkOptions {
  /** How to reach the courier. Asked for at every dial: it may have moved meanwhile. */
  home(): Dial
  /** How to reach the courier that a redirect names; undefined where it names none. */
  elsewhere(host: string): Dial | undefined
  readonly identity: DeviceIdentity
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
  /** The base token kept from earlier. */
  baseToken(): Uint8Array | undefined
}

/** What the link tells its device, beside what the session does. */
export interface LinkHandler extends Omit<ConnectionHandler, 'ended'> {
  /** @param retryMs when the link dials again; undefined when it was told to stay away */
  disconnected(reason: string, retryMs: number | undefined): void
}

/**
 * Keeps one connection to a courier: dials, and dials again with jittered back-off for as long as it is wanted.
 * There is never more than one connection at a time.
 */
export class CourierLink {
  readonly #options: CourierLinkOptions
  readonly #handler: LinkHandler
  readonly #backOff: BackOff
  readonly #handled = new HandledNotifications()
  /** Where a courier has sent us instead. */
  #redirect: Dial | undefined
  #wanted = false
  #connection: CourierConnection | undefined
  #retry: ReturnType<typeof setTimeout> | undefined
  #connectedMs: number | undefined
  /** How far the courier's clock is ahead of ours. */
  #clockAheadMs = 0
  #clockCorrected = false
  /** The courier refused the device with its base token: the next attempt is made without. */
  #withoutToken = false
  #redirects = 0
  /** The connection says goodbye. */
  #leaving = false

  constructor(options: CourierLinkOptions, handler: LinkHandler) {
    this.#options = options
    this.#handler = handler
    this.#backOff = new BackOff(options.random)
  }

  /** The session while it is connected, and not about to be left. */
  get session(): CourierSession | undefined {
    const session = this.#leaving ? undefined : this.#connection?.session
    return session?.isConnected ? session : undefined
  }

  /** Wants to be connected from now on. Dials at once, also where it was waiting to try again. */
  open(): void {
    this.#wanted = true
    this.#backOff.reset()
    // A connection that is still saying goodbye dials when it has ended.
    if (!this.#connection) this.#dial()
  }

  /** Leaves and stays away until `open`. Resolves when the connection is closed. */
  async close(reason: string): Promise<void> {
    this.#wanted = false
    clearTimeout(this.#retry)
    this.#leaving = true
    await this.#connection?.leave(reason)
  }

  #dial(): void {
    clearTimeout(this.#retry)
    const { identity, now, random } = this.#options
    this.#connectedMs = undefined
    this.#leaving = false
    this.#connection = new CourierConnection(
      {
        dial: this.#redirect ?? this.#options.home(),
        identity,
        handled: this.#handled,
        baseToken: this.#withoutToken ? undefined : this.#options.baseToken(),
        courierNow: () => now() + this.#clockAheadMs,
        now,
        random,
        redirects: this.#redirects,
      },
      {
        ...this.#handler,
        connected: (token, courierTimeMs) => this.#connected(token, courierTimeMs),
        ended: (end) => this.#ended(end),
      },
    )
  }

  #connected(token: Uint8Array | undefined, courierTimeMs: number | undefined): void {
    const now = this.#options.now()
    this.#connectedMs = now
    this.#clockCorrected = false
    this.#withoutToken = false
    this.#redirects = 0
    if (courierTimeMs !== undefined) this.#clockAheadMs = courierTimeMs - now
    this.#handler.connected(token, courierTimeMs)
  }

  #ended(end: SessionEnd): void {
    const now = this.#options.now()
    this.#connection = undefined
    this.#redirect = end.why === 'redirect' ? this.#options.elsewhere(end.host) : undefined
    this.#redirects = this.#redirect ? this.#redirects + 1 : 0
    this.#withoutToken = end.why === 'rejected' && end.hadToken
    const retryMs = this.#wanted ? this.#waitMs(end, now) : undefined
    this.#handler.disconnected(detailOf(end), retryMs)
    // Whoever was told may have opened or closed the link.
    if (this.#wanted && !this.#connection) this.#retry = setTimeout(() => this.#dial(), retryMs)
  }

  #waitMs(end: SessionEnd, now: number): number {
    // It was left, and is wanted again before its goodbye was over.
    if (this.#leaving) return 0
    const waitMs = this.#backOff.nextWaitMs(this.#connectedMs === undefined ? 0 : now - this.#connectedMs)
    if (end.why === 'lost' && end.retryAfterMs !== undefined) {
      // The courier spreads the return of its devices; the back-off adds the jitter.
      return Math.min(end.retryAfterMs, limits.reconnectMsMax) + waitMs
    }
    if (end.why !== 'clock' || this.#clockCorrected) return waitMs
    // The courier told its time: one more attempt at once, with its clock.
    this.#clockAheadMs = end.courierTimeMs - now
    this.#clockCorrected = true
    return 0
  }
}

function detailOf(end: SessionEnd): string {
  if (end.why === 'redirect') return `redirected to ${end.host}`
  return end.why === 'clock' ? "the device's clock is wrong" : end.detail
}
