import type { Environment } from '@carillon/wire'
import { limits } from '../limits.ts'
import type { ClaimedRecipient, Message } from '../outbox/message.ts'
import type { Outbox, Outcome } from '../outbox/outbox.ts'
import type { DeviceRegistry } from '../registry/device-registry.ts'
import type { Sender } from '../sender.ts'
import type { MessageCache } from './message-cache.ts'
import { type Rejection, randomFraction, retryDelayMs } from './retry.ts'

/** Calls back after a time; the function that it returns takes that back. */
export type After = (delayMs: number, then: () => void) => () => void

/** What a lane works with. */
export interface LaneWorld {
  readonly outbox: Outbox
  readonly devices: DeviceRegistry
  readonly messages: MessageCache
  /** Names this dispatcher in leases. */
  readonly owner: string
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
  readonly after: After
  readonly onFailure: (error: unknown) => void
}

/** A sender and what its service is. */
export interface LaneSender {
  readonly sender: Sender
  readonly isApple: boolean
}

/**
 * Sends what is due for one app in one environment. Lanes are apart so that the expired certificate, the
 * throttling or the dead network of one app does not hold up another.
 */
export class Lane {
  readonly bundleId: string
  readonly environment: Environment
  readonly #world: LaneWorld
  readonly #connect: () => Promise<LaneSender>
  #claiming = false
  #wokenMeanwhile = false
  #stopped = false
  #inFlight = 0
  /** In a row, without work that went well in between. */
  #failures = 0
  /** More may be due than there was room for. */
  #lacksRoom = false
  #cancelTimer: (() => void) | undefined
  #wakesAt = Number.POSITIVE_INFINITY
  #whenIdle: (() => void) | undefined

  constructor(
    bundleId: string,
    environment: Environment,
    world: LaneWorld,
    connect: () => Promise<LaneSender>,
  ) {
    this.bundleId = bundleId
    this.environment = environment
    this.#world = world
    this.#connect = connect
  }

  /** Something may be due now. */
  wake(): void {
    if (this.#stopped) return
    if (this.#claiming) {
      this.#wokenMeanwhile = true
      return
    }
    this.#claiming = true
    void this.#work().then(
      () => {
        this.#failures = 0
        this.#worked()
      },
      (error: unknown) => {
        this.#world.onFailure(error)
        const delayMs = limits.laneRetryMsFirst * 2 ** Math.min(this.#failures++, 30)
        this.#wakeAt(this.#world.now() + Math.min(delayMs, limits.laneRetryMsMax))
        this.#worked()
      },
    )
  }

  /** Claims nothing more; resolves when the outcomes of what is under way are written. */
  stop(): Promise<void> {
    this.#stopped = true
    this.#cancelTimer?.()
    return new Promise((resolve) => {
      this.#whenIdle = resolve
      this.#tellIdle()
    })
  }

  #worked(): void {
    this.#claiming = false
    if (this.#wokenMeanwhile) {
      this.#wokenMeanwhile = false
      this.wake()
    }
    this.#tellIdle()
  }

  async #work(): Promise<void> {
    for (;;) {
      const room = Math.min(limits.inFlightPerLaneMax - this.#inFlight, limits.claimedAtOnceMax)
      // Sends that end make room and wake the lane again.
      this.#lacksRoom = room <= 0
      if (this.#lacksRoom || this.#stopped) return
      const { bundleId, environment } = this
      const { outbox, owner, now } = this.#world
      const { sender, isApple } = await this.#connect()
      const claimed = await outbox.claim(bundleId, environment, owner, now(), room)
      const messages = await Promise.allSettled(
        claimed.map((recipient) => this.#world.messages.get(recipient.messageId)),
      )
      for (const [index, recipient] of claimed.entries()) {
        this.#inFlight++
        const message = messages[index]!
        if (message.status === 'fulfilled')
          void this.#settle(this.#attempt(recipient, message.value, sender, isApple))
        else void this.#settle(this.#putBack(recipient))
      }
      const unread = messages.find(({ status }) => status === 'rejected')
      if (unread !== undefined) this.#world.onFailure((unread as PromiseRejectedResult).reason)
      if (claimed.length < room) break
    }
    const dueAt = await this.#world.outbox.nextDueAt(this.bundleId, this.environment)
    if (dueAt !== undefined) this.#wakeAt(dueAt)
  }

  /** Writes what became of a recipient that counts as in flight, which it then no longer does. */
  async #settle(attempt: Promise<Outcome> | Outcome): Promise<void> {
    try {
      const outcome = await attempt
      await this.#finish(outcome)
      if (outcome.dueAt !== undefined) this.#wakeAt(outcome.dueAt)
    } catch (error) {
      // The lease ends, and the recipient is sent again with the same apns-id.
      this.#world.onFailure(error)
    }
    this.#inFlight--
    // Half of the room at once, rather than a claim for each place that becomes free.
    if (this.#lacksRoom && this.#inFlight <= limits.inFlightPerLaneMax / 2) this.wake()
    this.#tellIdle()
  }

  /** Its message could not be read: it is tried again soon, and not only when its lease ends. */
  #putBack(recipient: ClaimedRecipient): Outcome {
    const answeredAt = this.#world.now()
    const dueAt = answeredAt + limits.laneRetryMsFirst
    return { recipient, state: 'waiting', dueAt, status: 0, reason: 'OutboxBusy', answeredAt }
  }

  async #attempt(
    recipient: ClaimedRecipient,
    message: Message | undefined,
    sender: Sender,
    isApple: boolean,
  ): Promise<Outcome> {
    const startedAt = this.#world.now()
    // A message is deleted long after it expired; should it be gone, so is the reason to send it.
    if (message === undefined || startedAt >= message.expiresAt)
      return this.#final(recipient, 'expired', 0, undefined)
    const result = await sender.send({
      deviceToken: recipient.token,
      topic: message.topic,
      pushType: message.pushType,
      priority: message.priority,
      expiration: message.expiration,
      collapseId: message.collapseId,
      apnsId: recipient.apnsId,
      payload: message.payload,
    })
    if (result.ok) return this.#final(recipient, 'sent', 200, undefined)
    if (result.tokenIsDead) return this.#afterDeadToken(recipient, message, result, startedAt)
    if (!result.retryable) return this.#final(recipient, 'failed', result.status, result.reason)
    return this.#again(recipient, message, result, isApple)
  }

  /**
   * The token is dead, unless the app registered it after the time that the service speaks of. Without a
   * timestamp that time is the start of the attempt.
   */
  async #afterDeadToken(
    recipient: ClaimedRecipient,
    message: Message,
    rejection: Rejection,
    startedAt: number,
  ): Promise<Outcome> {
    const { devices, now } = this.#world
    const deadAt = rejection.timestamp ?? startedAt
    const device = await devices.get(recipient.token)
    if (device !== undefined && deadAt < device.lastRegisteredAt) {
      return this.#again(recipient, message, rejection, false)
    }
    await devices.retire(recipient.token, rejection.reason, deadAt, now())
    return this.#final(recipient, 'failed', rejection.status, rejection.reason)
  }

  #again(recipient: ClaimedRecipient, message: Message, rejection: Rejection, isApple: boolean): Outcome {
    if (recipient.attempts >= limits.attemptsMax) {
      return this.#final(recipient, 'failed', rejection.status, 'AttemptsExhausted')
    }
    const { now, random } = this.#world
    const delayMs = retryDelayMs(rejection, recipient.attempts, randomFraction(random), isApple)
    return {
      recipient,
      state: 'waiting',
      // At its expiry it is claimed once more, and then counted as expired.
      dueAt: Math.min(now() + delayMs, message.expiresAt),
      status: rejection.status,
      reason: rejection.reason,
      answeredAt: now(),
    }
  }

  #final(
    recipient: ClaimedRecipient,
    state: 'sent' | 'failed' | 'expired',
    status: number,
    reason: string | undefined,
  ): Outcome {
    return { recipient, state, dueAt: undefined, status, reason, answeredAt: this.#world.now() }
  }

  #finish(outcome: Outcome): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#world.outbox.finish(outcome, this.#world.owner, (error) => (error ? reject(error) : resolve()))
    })
  }

  #wakeAt(time: number): void {
    if (time >= this.#wakesAt || this.#stopped) return
    this.#cancelTimer?.()
    this.#wakesAt = time
    const delayMs = Math.min(Math.max(time - this.#world.now(), 0), limits.sleepMsMax)
    this.#cancelTimer = this.#world.after(delayMs, () => {
      this.#wakesAt = Number.POSITIVE_INFINITY
      this.#cancelTimer = undefined
      this.wake()
    })
  }

  #tellIdle(): void {
    if (this.#inFlight === 0 && !this.#claiming) this.#whenIdle?.()
  }
}
