/** Why a message is held: others to go along with are waited for, or the app has used up its budget. */
export type HeldWhy = 'group' | 'budget'

/** What is held for one device: where it begins in the order of acceptance, and when it is due. */
export class HeldBack {
  #groupFrom = nothing
  #groupDueMs = nothing
  #budgetFrom = nothing
  #budgetDueMs = nothing

  /** When the first of all is due; infinite where nothing is held. */
  get dueMs(): number {
    return Math.min(this.#groupDueMs, this.#budgetDueMs)
  }

  add(why: HeldWhy, seq: number, dueMs: number): void {
    if (why === 'group') {
      this.#groupFrom = Math.min(this.#groupFrom, seq)
      this.#groupDueMs = Math.min(this.#groupDueMs, dueMs)
    } else {
      this.#budgetFrom = Math.min(this.#budgetFrom, seq)
      this.#budgetDueMs = Math.min(this.#budgetDueMs, dueMs)
    }
  }

  /** A good moment has come for what waits in a group. @returns where it begins, infinite where there is none */
  takeGroup(): number {
    const from = this.#groupFrom
    this.#groupFrom = nothing
    this.#groupDueMs = nothing
    return from
  }

  /** The device is reached anyway, or the time has come: all of it. @returns where it begins */
  takeAll(): number {
    const from = Math.min(this.takeGroup(), this.#budgetFrom)
    this.#budgetFrom = nothing
    this.#budgetDueMs = nothing
    return from
  }
}

const nothing = Number.POSITIVE_INFINITY
