import type { PushType } from '@carillon/wire'
import { limits } from '../limits.ts'
import type { StoredMessage } from '../store/stored-message.ts'
import { HourlyBudgets } from './hourly-budgets.ts'
import { type PowerOptions, type PowerState, powerDefaults } from './power-options.ts'

/** What the policy looks at in a message. */
export type WeighedMessage = Pick<StoredMessage, 'device' | 'app' | 'priority' | 'pushType'>

/**
 * Which notifications wait for a better moment, by priority, push type and what their device says of its power.
 * Apple: "Sending notification requests to APNs" for the priorities, "Viewing the status of push notifications"
 * for storing because of power. Keeps the budgets, and nothing of any device.
 */
export class PowerPolicy {
  readonly #options: PowerOptions
  readonly #frequentUpdateApps: ReadonlySet<string>
  readonly #background = new HourlyBudgets(limits.powerBudgetsMax)
  readonly #liveActivity = new HourlyBudgets(limits.powerBudgetsMax)

  constructor(options: Partial<PowerOptions> = {}) {
    this.#options = { ...powerDefaults, ...options }
    this.#frequentUpdateApps = new Set(this.#options.frequentUpdateApps)
  }

  /** Nothing waits longer than this for its time. */
  get longestMs(): number {
    const { groupMs, lowPowerGroupMs, lowestMs, lowPowerLowestMs } = this.#options
    return Math.max(groupMs, lowPowerGroupMs, lowestMs, lowPowerLowestMs, budgetMs)
  }

  /** When the app's budget on the device lets it through: `nowMs` where it does now. */
  budgetFreeAtMs(message: WeighedMessage, power: PowerState, nowMs: number): number {
    if (!isBudgeted(message, power)) return nowMs
    return this.#background.freeAtMs(keyOf(message), this.#options.backgroundPushesPerHour, nowMs)
  }

  /** Until when it waits at most for others to go along with: `nowMs` where it goes at once. */
  groupDueMs(message: WeighedMessage, power: PowerState, nowMs: number): number {
    if (power.isPlugged || power.isScreenOn || this.#isUrgent(message, nowMs)) return nowMs
    const { groupMs, lowPowerGroupMs, lowestMs, lowPowerLowestMs } = this.#options
    if (message.priority >= 5) return nowMs + (power.isLowPowerMode ? lowPowerGroupMs : groupMs)
    return nowMs + (power.isLowPowerMode ? lowPowerLowestMs : lowestMs)
  }

  /** It goes: counts it against the budgets. */
  spend(message: WeighedMessage, power: PowerState, nowMs: number): void {
    if (isBudgeted(message, power)) this.#background.spend(keyOf(message), nowMs)
    else if (isLiveActivity(message)) this.#liveActivity.spend(keyOf(message), nowMs)
  }

  #isUrgent(message: WeighedMessage, nowMs: number): boolean {
    if (message.priority < 10) return false
    if (!isLiveActivity(message)) return true
    return this.#liveActivity.freeAtMs(keyOf(message), this.#liveActivityBudget(message.app), nowMs) <= nowMs
  }

  #liveActivityBudget(app: string): number {
    return this.#frequentUpdateApps.has(app)
      ? this.#options.frequentLiveActivityUpdatesPerHour
      : this.#options.liveActivityUpdatesPerHour
  }
}

/** Of the hourly budgets. */
const budgetMs = 60 * 60_000

/** Apple: no budget where the app runs from Xcode; a plugged device with its screen on is the nearest that we know. */
function isBudgeted(message: WeighedMessage, power: PowerState): boolean {
  return message.pushType === ('background' satisfies PushType) && !(power.isPlugged && power.isScreenOn)
}

/** Priority 5 does not count. Apple: "Starting and updating Live Activities with ActivityKit push notifications" */
function isLiveActivity(message: WeighedMessage): boolean {
  return message.pushType === ('liveactivity' satisfies PushType) && message.priority >= 10
}

function keyOf(message: WeighedMessage): string {
  return `${message.device} ${message.app}`
}
