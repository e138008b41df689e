import { decodeDeviceToken } from '@carillon/wire'
import type { TokenRecord } from './registry.ts'
import type { KnownTopic } from './topic-table.ts'

/*
 * One token in 48 bytes, so that a million of them fit into the memory that a hundred thousand objects would
 * take, and none is ever looked at by the garbage collector. A slot is twelve 32-bit words:
 *
 *   0..7   the token, big-endian
 *   8      row number of the device
 *   9      0 empty; 0xffffffff removed; else 1 + the place of the topic in `topics`
 *   10,11  inactive since, in milliseconds: high word, low word
 */
const slotWords = 12
const tokenWords = 8
const deviceWord = 8
const topicWord = 9
const inactiveHighWord = 10
const inactiveLowWord = 11
const removed = 0xffff_ffff
const twoTo32 = 0x1_0000_0000

/** The words of the token that is looked for. Shared: a look-up never gives up the thread. */
const wanted = new Uint32Array(tokenWords)

/** Reads lower-case hex of 32 bytes into `wanted`; false for any other text. */
export function wantToken(token: string): boolean {
  if (token.length !== tokenWords * 8) return false
  let invalid = 0
  for (let word = 0; word < tokenWords; word++) {
    let value = 0
    for (let at = word * 8; at < word * 8 + 8; at++) {
      const code = token.charCodeAt(at)
      const digit = lowerDigit[code & 0xff]!
      invalid |= digit | (code & 0xff00)
      value = (value << 4) | digit
    }
    wanted[word] = value
  }
  return invalid < 16
}

/** 0 to 15 for the lower-case hex digits, 16 for all other characters. */
const lowerDigit = new Uint8Array(256).fill(16)
for (let value = 0; value < 16; value++) lowerDigit['0123456789abcdef'.charCodeAt(value)] = value

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

  recordAt(at: number, token: string): TokenRecord {
    const words = this.#words
    const { bundleId, topic } = this.#topics[words[at + topicWord]! - 1]!
    const inactiveSinceMs = words[at + inactiveHighWord]! * twoTo32 + words[at + inactiveLowWord]!
    return new TableToken(token, words[at + deviceWord]!, bundleId, topic, inactiveSinceMs)
  }

  /** Puts the wanted token in, over what is known of it. The table must not be full. */
  put(device: number, topicPlace: number, inactiveSinceMs: number): void {
    const at = this.#place()
    const words = this.#words
    if (words[at + topicWord] === 0) {
      words.set(wanted, at)
      this.#used += 1
    }
    words[at + deviceWord] = device
    words[at + topicWord] = topicPlace + 1
    words[at + inactiveHighWord] = Math.floor(inactiveSinceMs / twoTo32)
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

/** A record made on demand; its bytes only when somebody asks for them. */
class TableToken implements TokenRecord {
  readonly token: string
  readonly device: number
  readonly bundleId: string
  readonly topic: string
  readonly inactiveSinceMs: number

  constructor(token: string, device: number, bundleId: string, topic: string, inactiveSinceMs: number) {
    this.token = token
    this.device = device
    this.bundleId = bundleId
    this.topic = topic
    this.inactiveSinceMs = inactiveSinceMs
  }

  get tokenBytes(): Uint8Array {
    return decodeDeviceToken(this.token)!
  }
}
