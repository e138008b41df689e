import type { PendingBinaryPush } from './binary-push.ts'

const identifierMax = 0xffff_ffff

/**
 * What was sent on one connection and may still be rejected, oldest first. Identifiers are consecutive, from 1, and
 * begin again at 1 before 2^32: 0 means that none is known.
 */
export class SentHistory {
  #sent: PendingBinaryPush[] = []
  #first = 1

  /** @param first the identifier of the first one */
  constructor(first = 1) {
    this.#first = first
  }

  get size(): number {
    return this.#sent.length
  }

  get oldest(): PendingBinaryPush | undefined {
    return this.#sent[0]
  }

  /** The identifier that the next one will have. */
  get nextIdentifier(): number {
    return after(this.#first, this.#sent.length)
  }

  /** @returns the identifier to send it with */
  add(push: PendingBinaryPush): number {
    const identifier = this.nextIdentifier
    this.#sent.push(push)
    return identifier
  }

  /** How many were sent before the one with this identifier; -1 where it is none of these. */
  placeOf(identifier: number): number {
    if (identifier === 0) return -1
    const distance = identifier - this.#first
    const place = distance < 0 ? distance + identifierMax : distance
    return place < this.#sent.length ? place : -1
  }

  /** Takes everything out, in order. */
  takeAll(): PendingBinaryPush[] {
    const sent = this.#sent
    this.#first = this.nextIdentifier
    this.#sent = []
    return sent
  }
}

function after(identifier: number, count: number): number {
  const sum = identifier + count
  return sum > identifierMax ? sum - identifierMax : sum
}
