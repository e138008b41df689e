import { limits } from '../limits.ts'
import type { RemovedMessage } from './message-store.ts'
import type { StoredMessage } from './stored-message.ts'

/** A message whose removal can be told without a look at the disk. */
export interface KnownMessage extends RemovedMessage {
  readonly expiration: number
}

/** Slots of the first arrays: what a small system needs. */
const firstSlots = 1024
const apnsIdBytes = 16
const tokenBytes = 32
const bytesPerSlot = apnsIdBytes + tokenBytes
/** Stands for a place in the order of acceptance; no message has it. */
const nothing = 0

/**
 * Which message is the only one that can wait for an app on a device, where the inbox rule lets one wait: the next one
 * takes its place without a look at the disk. It may be gone, or on its way there, but no other one will be there when
 * it is. All lie in a few arrays: a hundred thousand objects would be a burden for the garbage collector.
 */
export class OnlyWaiting {
  readonly #slotsMax: number
  readonly #slots = new Map<string, Map<number, number>>()
  #used = 0
  #seqs = new Float64Array(firstSlots)
  #expirations = new Float64Array(firstSlots)
  #priorities = new Uint8Array(firstSlots)
  /** The apns-id and the token of each. */
  #ids = new Uint8Array(firstSlots * bytesPerSlot)
  readonly #topics: string[] = []
  readonly #pushTypes: string[] = []

  constructor(slotsMax: number = limits.onlyWaitingKnownMax) {
    this.#slotsMax = slotsMax
  }

  /** Where an app on a device has its place; not to be kept beyond the next call. */
  slotOf(device: number, app: string): number {
    const known = this.#slots.get(app)?.get(device)
    if (known !== undefined) return known
    if (this.#used >= this.#slotsMax) this.#forgetAll()
    if (this.#used >= this.#seqs.length) this.#grow()
    const slotsOfApp = this.#slots.get(app) ?? new Map<number, number>()
    if (slotsOfApp.size === 0) this.#slots.set(app, slotsOfApp)
    slotsOfApp.set(device, this.#used)
    return this.#used++
  }

  /** Undefined where it is not known which message that is. */
  at(slot: number, device: number, app: string): KnownMessage | undefined {
    if (this.#seqs[slot] === nothing) return undefined
    const start = slot * bytesPerSlot
    const tokenAt = start + apnsIdBytes
    return {
      seq: this.#seqs[slot]!,
      device,
      app,
      apnsId: this.#ids.slice(start, tokenAt),
      topic: this.#topics[slot]!,
      token: this.#ids.slice(tokenAt, tokenAt + tokenBytes),
      pushType: this.#pushTypes[slot]!,
      priority: this.#priorities[slot]!,
      expiration: this.#expirations[slot]!,
    }
  }

  /** A message was given to the disk, to take the place of whatever waits there. */
  added(slot: number, message: StoredMessage): void {
    const { seq, apnsId, token } = message
    const fits = apnsId.length === apnsIdBytes && token.length === tokenBytes
    this.#seqs[slot] = fits ? seq : nothing
    if (!fits) return
    this.#expirations[slot] = message.expiration
    this.#priorities[slot] = message.priority
    this.#ids.set(apnsId, slot * bytesPerSlot)
    this.#ids.set(token, slot * bytesPerSlot + apnsIdBytes)
    this.#topics[slot] = message.topic
    this.#pushTypes[slot] = message.pushType
  }

  /**
   * More than one may wait there, or another one than was thought.
   *
   * @returns the one that was thought to
   */
  forget(device: number, app: string): KnownMessage | undefined {
    const slot = this.#slots.get(app)?.get(device)
    if (slot === undefined) return undefined
    const known = this.at(slot, device, app)
    this.#seqs[slot] = nothing
    return known
  }

  #forgetAll(): void {
    this.#slots.clear()
    this.#used = 0
    this.#seqs.fill(nothing)
  }

  #grow(): void {
    const slots = Math.min(this.#seqs.length * 2, this.#slotsMax)
    this.#seqs = moved(this.#seqs, new Float64Array(slots))
    this.#expirations = moved(this.#expirations, new Float64Array(slots))
    this.#priorities = moved(this.#priorities, new Uint8Array(slots))
    this.#ids = moved(this.#ids, new Uint8Array(slots * bytesPerSlot))
  }
}

function moved<Numbers extends Float64Array<ArrayBuffer> | Uint8Array<ArrayBuffer>>(
  from: Numbers,
  to: Numbers,
): Numbers {
  to.set(from)
  return to
}
