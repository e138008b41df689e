import { limits } from '../limits.ts'

/** Until when opportunistic topics are delivered: while the device says that it is awake, or after something woke it. */
export class DeviceActivity {
  #untilMs = Number.POSITIVE_INFINITY
  #ridesAlong = false

  isActive(steadyMs: number): boolean {
    return steadyMs < this.#untilMs
  }

  /** The device says until when. @returns whether it was not active and is now */
  told(untilMs: number, steadyMs: number): boolean {
    const wasActive = this.isActive(steadyMs)
    this.#untilMs = untilMs
    return !wasActive && untilMs > steadyMs
  }

  /** A notification has woken it. @returns whether what it takes opportunistically is to follow in a moment */
  awoken(steadyMs: number): boolean {
    if (this.#ridesAlong || this.isActive(steadyMs)) return false
    this.#ridesAlong = true
    this.#untilMs = steadyMs + limits.opportunisticMsMax
    return true
  }

  /** That moment has come, if there is one: told once. */
  takeRide(): boolean {
    const ridesAlong = this.#ridesAlong
    this.#ridesAlong = false
    return ridesAlong
  }
}
