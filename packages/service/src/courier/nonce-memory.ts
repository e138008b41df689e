import { limits } from '../limits.ts'

/**
 * The nonces of the last minutes, so that none is taken twice. Two generations: an entry is kept for at least
 * `generationMs`, the longest time for which its nonce could still be young enough.
 */
export class NonceMemory {
  // A nonce may be ahead of us by the limit and is refused once it is behind by it.
  readonly #generationMs = 2 * limits.nonceAgeMsMax
  readonly #generationMax: number
  #young = new Set<string>()
  #old = new Set<string>()
  #youngSinceMs = 0

  constructor(nonceCountMax: number = limits.noncesRememberedMax) {
    this.#generationMax = nonceCountMax >> 1
  }

  /** Notes the nonce. @returns false where it was noted before */
  isNew(nonce: Uint8Array, nowMs: number): boolean {
    const key = Buffer.from(nonce.buffer, nonce.byteOffset, nonce.byteLength).toString('latin1')
    if (nowMs - this.#youngSinceMs >= this.#generationMs || this.#young.size >= this.#generationMax) {
      this.#old = this.#young
      this.#young = new Set()
      this.#youngSinceMs = nowMs
    }
    if (this.#young.has(key) || this.#old.has(key)) return false
    this.#young.add(key)
    return true
  }
}
