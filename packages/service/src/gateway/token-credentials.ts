import { bearerTokenOf, type Reason, reasons } from '@carillon/wire'
import type { AuthKey } from '../authority.ts'
import { limits } from '../limits.ts'
import type { Credentials } from './credentials.ts'
import type { Gateway } from './gateway.ts'
import { isVerified, type VerifiedToken } from './provider-tokens.ts'

/** A connection without a client certificate: every request carries a provider token. */
export class TokenCredentials implements Credentials {
  readonly defaultTopic = ''
  readonly #gateway: Gateway
  readonly #onFirstToken: () => void
  /** The last `authorization` seen, and what came of it while the authority said what it said then. */
  #authorization: string | undefined
  #changes = -1
  #outcome: VerifiedToken | Reason = reasons.MissingProviderToken
  /** The key of the first accepted token, to which the connection stays bound. */
  #boundTo: AuthKey | undefined
  #secondStartMs = 0
  #verifiedInSecond = 0

  /** @param onFirstToken called once, when the first valid token was seen */
  constructor(gateway: Gateway, onFirstToken: () => void) {
    this.#gateway = gateway
    this.#onFirstToken = onFirstToken
  }

  get grant(): object | undefined {
    return this.#outcome
  }

  authenticate(authorization: string, nowMs: number): Reason | undefined {
    // The engine gives the same string for the same bytes, so this is mostly a comparison of pointers.
    if (authorization !== this.#authorization || this.#changes !== this.#gateway.changes) {
      const refusal = this.#examine(authorization, nowMs)
      if (refusal !== undefined) return refusal
    }
    const outcome = this.#outcome
    if (!isVerified(outcome)) return outcome
    const ageMs = nowMs - outcome.issuedAtMs
    if (ageMs > limits.providerTokenAgeMsMax) return reasons.ExpiredProviderToken
    // Unverified against Apple: the answer to an iat in the far future.
    if (ageMs < -limits.providerTokenAheadMsMax) return reasons.InvalidProviderToken
    return this.#bind(outcome.key)
  }

  allowsTopic(_topic: string, bundleId: string, teamId: string): boolean {
    if (!isVerified(this.#outcome)) return false
    const { key } = this.#outcome
    return key.teamId === teamId && (key.topics === 'all' || key.topics.includes(bundleId))
  }

  /** Looks at another `authorization` than the last one; a refusal that is only for now is returned. */
  #examine(authorization: string, nowMs: number): Reason | undefined {
    const text = bearerTokenOf(authorization)
    let outcome: VerifiedToken | Reason | undefined
    if (text === '') outcome = reasons.MissingProviderToken
    else outcome = this.#gateway.providerTokens.known(text)
    if (outcome === undefined) {
      if (!this.#mayVerify(nowMs)) return reasons.TooManyProviderTokenUpdates
      outcome = this.#gateway.providerTokens.verify(text)
    }
    this.#authorization = authorization
    this.#changes = this.#gateway.changes
    this.#outcome = outcome
    return undefined
  }

  /** Verifying blocks the process, so one connection gets only so much of it. */
  #mayVerify(nowMs: number): boolean {
    if (nowMs - this.#secondStartMs >= 1000 || nowMs < this.#secondStartMs) {
      this.#secondStartMs = nowMs
      this.#verifiedInSecond = 0
    }
    this.#verifiedInSecond += 1
    return this.#verifiedInSecond <= limits.tokenVerificationsPerSecondMax
  }

  #bind(key: AuthKey): Reason | undefined {
    if (this.#boundTo === undefined) {
      this.#boundTo = key
      this.#onFirstToken()
    } else if (this.#boundTo !== key && !isRelated(this.#boundTo, key)) {
      return reasons.UnrelatedKeyIdInToken
    }
    return undefined
  }
}

/**
 * Apple: "Establishing a token-based connection to APNs": after a push with a team-scoped key only keys of that
 * kind and team may follow, after one with a topic-specific key only that key (or its related one).
 * Unverified against Apple: the answer to a token of another team.
 */
function isRelated(first: AuthKey, other: AuthKey): boolean {
  if (first.keyId === other.keyId) return true
  return first.teamId === other.teamId && first.topics === 'all' && other.topics === 'all'
}
