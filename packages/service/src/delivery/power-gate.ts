import { HeldBack } from '../power/held-back.ts'
import type { PowerState } from '../power/power-options.ts'
import type { PowerPolicy } from '../power/power-policy.ts'
import type { StoredMessage } from '../store/stored-message.ts'

/** Reminders come to the second. */
const dueSlackMs = 1000

/** What a gate needs of delivery. */
export interface PowerGateHost {
  readonly now: () => number
  /** Calls `due` of this device's mailbox at that time. */
  remind(device: number, dueMs: number): void
}

/** What waits for a better moment of one connected device that reports its power. */
export class PowerGate {
  readonly #policy: PowerPolicy
  readonly #host: PowerGateHost
  readonly #device: number
  readonly #held = new HeldBack()
  #power: PowerState

  constructor(policy: PowerPolicy, host: PowerGateHost, device: number, power: PowerState) {
    this.#policy = policy
    this.#host = host
    this.#device = device
    this.#power = power
  }

  /** @returns where in the order of acceptance what may go now begins, infinite where nothing waits for that */
  changed(power: PowerState): number {
    this.#power = power
    return power.isPlugged || power.isScreenOn ? this.#held.takeGroup() : Number.POSITIVE_INFINITY
  }

  /**
   * Whether a message may go now; then it counts against the budgets.
   *
   * @param isMoving others are on their way to the device: it goes along
   */
  lets(message: StoredMessage, isMoving: boolean): boolean {
    const nowMs = this.#host.now()
    if (this.#dueMs(message, isMoving, nowMs) > nowMs) return false
    this.#policy.spend(message, this.#power, nowMs)
    return true
  }

  /** Notes that a message which may not go waits, in the store. */
  hold(message: StoredMessage, isMoving: boolean): void {
    const nowMs = this.#host.now()
    const isOverBudget = this.#policy.budgetFreeAtMs(message, this.#power, nowMs) > nowMs
    this.#held.add(isOverBudget ? 'budget' : 'group', message.seq, this.#dueMs(message, isMoving, nowMs))
    this.#host.remind(this.#device, this.#held.dueMs)
  }

  /** Something goes at once: what waits for others to go along with begins here. */
  takeGroup(): number {
    return this.#held.takeGroup()
  }

  /** Everything is looked at anew. */
  takeAll(): number {
    return this.#held.takeAll()
  }

  /** The time of a reminder: what has waited for long enough begins here, infinite where it was too early. */
  takeDue(nowMs: number): number {
    const leftMs = this.#held.dueMs - nowMs
    // Longer than anything waits: the clock was set back.
    if (leftMs <= dueSlackMs || leftMs > this.#policy.longestMs) return this.#held.takeAll()
    this.#host.remind(this.#device, this.#held.dueMs)
    return Number.POSITIVE_INFINITY
  }

  #dueMs(message: StoredMessage, isMoving: boolean, nowMs: number): number {
    const freeAtMs = this.#policy.budgetFreeAtMs(message, this.#power, nowMs)
    if (freeAtMs > nowMs || isMoving) return freeAtMs
    return this.#policy.groupDueMs(message, this.#power, nowMs)
  }
}
