const places = 65_536
const windowMs = 60_000

/**
 * Requests to each device token in the present minute, in half a megabyte for any number of tokens. Tokens are
 * random, so their first bytes choose two places that are counted up; the smaller count is the token's own plus
 * what other tokens brought to the same places, of which so many requests to one token would not notice much.
 */
export class RequestRates {
  readonly #requestsMax: number
  readonly #counts = new Uint32Array(2 * places)
  #windowStartMs = Number.NEGATIVE_INFINITY

  /** @param requestsMax to one token in a minute */
  constructor(requestsMax: number) {
    this.#requestsMax = requestsMax
  }

  /** Counts a request, and says whether it is one too many. */
  isTooMany(token: Uint8Array, nowMs: number): boolean {
    const age = nowMs - this.#windowStartMs
    // A clock that was put back starts a new minute too.
    if (age >= windowMs || age < 0) {
      this.#counts.fill(0)
      this.#windowStartMs = nowMs
    }
    const counts = this.#counts
    const first = token[0]! | (token[1]! << 8)
    const second = places + (token[2]! | (token[3]! << 8))
    const least = Math.min(++counts[first]!, ++counts[second]!)
    return least > this.#requestsMax
  }
}
