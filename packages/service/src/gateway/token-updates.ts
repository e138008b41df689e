import { limits } from '../limits.ts'

interface Accepted {
  readonly issuedAtMs: number
  /** When it was seen first. */
  readonly atMs: number
}

/**
 * How often the provider tokens of each key are renewed. Apple: "Establishing a token-based connection to APNs":
 * no more than once every 20 minutes. What counts is a new `iat`: the same one in many tokens or from many
 * processes is one token.
 * Unverified against Apple: whether it counts from the first sight of a token (as here) or from its `iat`.
 */
export class TokenUpdates {
  readonly #updateMsMin: number
  readonly #byKey = new Map<string, Accepted[]>()

  constructor(updateMsMin: number) {
    this.#updateMsMin = updateMsMin
  }

  /** Whether a good token comes too soon after the one before; a token that does not is remembered. */
  isTooSoon(keyId: string, issuedAtMs: number, nowMs: number): boolean {
    const accepted = this.#byKey.get(keyId) ?? []
    if (accepted.some((each) => each.issuedAtMs === issuedAtMs)) return false
    // What is said to come from the future came before the clock was put back: when, nobody knows.
    if (accepted.some(({ atMs }) => atMs <= nowMs && nowMs - atMs < this.#updateMsMin)) return true
    // Those that nobody would accept any more are forgotten, so that at most a few are left.
    const kept = accepted.filter(
      (each) => each.atMs <= nowMs && nowMs - each.issuedAtMs <= limits.providerTokenAgeMsMax,
    )
    kept.push({ issuedAtMs, atMs: nowMs })
    this.#byKey.set(keyId, kept)
    return false
  }
}
