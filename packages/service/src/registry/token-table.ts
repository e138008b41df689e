import { encodeDeviceToken } from '@carillon/wire'
import type { TokenRecord } from './registry.ts'
import type { KnownTopic } from './topic-table.ts'

/*
 * One token in 48 bytes, so that a million of them fit into the memory that a hundred thousand objects would
 * take, and none is ever looked at by the garbage collector. A slot is twelve 32-bit words:
 *
 *   0..7   the token, in the byte order of the machine
 *   8      row number of the device
 *   9      0 empty; 0xffffffff removed; else 1 + the place of the topic in `topics`
 *   10     the day on which it was asked for last (16 bits), inactive since, in milliseconds (bits 32 to 47)
 *   11     inactive since, in milliseconds (low word)
 */
const slotWords = 12
const tokenWords = 8
const deviceWord = 8
const topicWord = 9
const dayAndInactiveHighWord = 10
const inactiveLowWord = 11
const removed = 0xffff_ffff
const twoTo32 = 0x1_0000_0000

/** The token that is looked for, as words and as bytes. Shared: a look-up never gives up the thread. */
const wanted = new Uint32Array(tokenWords)
const wantedBytes = Buffer.from(wanted.buffer)

/** Reads hex of 32 bytes, in either case, into `wanted`; false for any other text. */
export function wantToken(token: string): boolean {
  // Writing stops at the first character that is no hex digit.
  return token.length === hexLength && wantedBytes.write(token, 0, 'hex') === wantedBytes.length
}

const hexLength = tokenWords * 8

/** Tokens by their bytes, up to three quarters of a fixed number of slots; open addressing, linear probing. */
export class TokenTable {
  readonly slots: number
  readonly #words: Uint32Array
  readonly #topics: readonly KnownTopic[]
  #used = 0

  /** @param slots a power of two */
  constructor(slots: number, topics: readonly KnownTopic[]) {
    this.slots = slots
    this.#words = new Uint32Array(slots * slotWords)
    this.#topics = topics
  }

  get isFull(): boolean {
    // A look-up ends at an empty slot: one is always left.
    return this.#used >= Math.floor(this.slots * 0.75)
  }

  /** Where the wanted token is, -1 where it is not here. */
  find(): number {
    const at = this.#place()
    const topic = this.#words[at + topicWord]!
    return topic === 0 || topic === removed ? -1 : at
  }

  /** The record of the wanted token, which `find` found at `at`. */
  recordAt(at: number): TokenRecord {
    const words = this.#words
    const { bundleId, topic } = this.#topics[words[at + topicWord]! - 1]!
    const dayAndHigh = words[at + dayAndInactiveHighWord]!
    const inactiveSinceMs = (dayAndHigh & 0xffff) * twoTo32 + words[at + inactiveLowWord]!
    return new TableToken(
      new Uint8Array(wantedBytes),
      words[at + deviceWord]!,
      bundleId,
      topic,
      inactiveSinceMs,
      dayAndHigh >>> 16,
    )
  }

  /** Puts the wanted token in, over what is known of it. The table must not be full. */
  put(device: number, topicPlace: number, inactiveSinceMs: number, askedDay: number): void {
    const at = this.#place()
    const words = this.#words
    if (words[at + topicWord] === 0) {
      words.set(wanted, at)
      this.#used += 1
    }
    words[at + deviceWord] = device
    words[at + topicWord] = topicPlace + 1
    words[at + dayAndInactiveHighWord] = (askedDay << 16) | Math.floor(inactiveSinceMs / twoTo32)
    words[at + inactiveLowWord] = inactiveSinceMs % twoTo32
  }

  /** Takes the wanted token over from another table, where it is at `from`. */
  copy(other: TokenTable, from: number): void {
    const at = this.#place()
    if (this.#words[at + topicWord] === 0) this.#used += 1
    this.#words.set(other.#words.subarray(from, from + slotWords), at)
  }

  /** The slot of a removed token stays taken, so that those behind it are found. */
  remove(): void {
    const at = this.find()
    if (at >= 0) this.#words[at + topicWord] = removed
  }

  /** The slot of the wanted token, or the empty one where it belongs. Tokens are random: they are their own hash. */
  #place(): number {
    const words = this.#words
    const mask = this.slots - 1
    let slot = wanted[0]! & mask
    for (;;) {
      const at = slot * slotWords
      if (words[at + topicWord] === 0) return at
      if (words[at] === wanted[0] && words[at + 1] === wanted[1] && isWanted(words, at)) return at
      slot = (slot + 1) & mask
    }
  }
}

function isWanted(words: Uint32Array, at: number): boolean {
  for (let word = 2; word < tokenWords; word++) if (words[at + word] !== wanted[word]) return false
  return true
}

/** A record made on demand; its hex only when somebody asks for it. */
class TableToken implements TokenRecord {
  readonly tokenBytes: Uint8Array
  readonly device: number
  readonly bundleId: string
  readonly topic: string
  readonly inactiveSinceMs: number
  readonly askedDay: number

  constructor(
    tokenBytes: Uint8Array,
    device: number,
    bundleId: string,
    topic: string,
    inactiveSinceMs: number,
    askedDay: number,
  ) {
    this.tokenBytes = tokenBytes
    this.device = device
    this.bundleId = bundleId
    this.topic = topic
    this.inactiveSinceMs = inactiveSinceMs
    this.askedDay = askedDay
  }

  get token(): string {
    return encodeDeviceToken(this.tokenBytes)
  }
}
