import { bearerTokenOf, type Reason, reasons } from '@carillon/wire'
import type { AuthKey, AuthorityChange } from '../authority.ts'
import { limits } from '../limits.ts'
import type { Credentials } from './credentials.ts'
import type { Gateway } from './gateway.ts'
import type { ProviderIdentity } from './provider-connection.ts'
import { isVerified, type VerifiedToken } from './provider-tokens.ts'
import { TokenUpdates } from './token-updates.ts'

/** A connection without a client certificate: every request carries a provider token. */
export class TokenCredentials implements Credentials {
  readonly defaultTopic = ''
  readonly #gateway: Gateway
  readonly #onFirstToken: () => void
  readonly #clockSkewMs: () => number
  /** The last `authorization` seen, and what came of it while the authority said what it said then. */
  #authorization: string | undefined
  #changes = -1
  #outcome: VerifiedToken | Reason = reasons.MissingProviderToken
  /** The key of the first accepted token, to which the connection stays bound. */
  #boundTo: AuthKey | undefined
  /** The last token that was accepted. */
  #accepted: VerifiedToken | undefined
  #updates: TokenUpdates | undefined
  #isWedged = false
  #secondStartMs = 0
  #verifiedInSecond = 0

  /**
   * @param onFirstToken called once, when the first valid token was seen
   * @param clockSkewMs how wrong the clock is on purpose when the age of a token is looked at; asked while there are faults
   */
  constructor(gateway: Gateway, onFirstToken: () => void, clockSkewMs: () => number) {
    this.#gateway = gateway
    this.#onFirstToken = onFirstToken
    this.#clockSkewMs = clockSkewMs
  }

  get identity(): ProviderIdentity {
    const key = this.#accepted?.key
    return key === undefined ? {} : { teamId: key.teamId, keyId: key.keyId }
  }

  get grant(): object | undefined {
    return this.#outcome
  }

  authenticate(authorization: string, nowMs: number): Reason | undefined {
    if (this.#isWedged) return reasons.ExpiredProviderToken
    // The engine gives the same string for the same bytes, so this is mostly a comparison of pointers.
    if (authorization !== this.#authorization || this.#changes !== this.#gateway.changes) {
      const refusal = this.#examine(authorization, nowMs)
      if (refusal !== undefined) return refusal
    }
    const outcome = this.#outcome
    if (!isVerified(outcome)) return outcome
    const ageMs = this.#believedNow(nowMs) - outcome.issuedAtMs
    if (ageMs > limits.providerTokenAgeMsMax) {
      // Seen: such a connection answered nothing else any more. jchambers/pushy
      this.#isWedged = this.#gateway.fidelity.wedgedAfterExpiredToken
      return reasons.ExpiredProviderToken
    }
    // Unverified against Apple: the answer to an iat in the far future.
    if (ageMs < -limits.providerTokenAheadMsMax) return reasons.InvalidProviderToken
    return outcome === this.#accepted ? undefined : this.#admit(outcome, nowMs)
  }

  /** What the clock says, or what a fault makes of it. */
  #believedNow(nowMs: number): number {
    return this.#gateway.faults?.plan === undefined ? nowMs : nowMs + this.#clockSkewMs()
  }

  allowsTopic(topic: string, bundleId: string, teamId: string): boolean {
    if (!isVerified(this.#outcome)) return false
    const { key } = this.#outcome
    if (key.teamId !== teamId) return false
    return key.topics === 'all' || key.topics.includes(bundleId) || key.topics.includes(topic)
  }

  isOver(): Reason | undefined {
    if (this.#accepted === undefined) return undefined
    const key = this.#gateway.authority.authKey(this.#accepted.key.keyId)
    return key === undefined || key.revoked ? reasons.InvalidProviderToken : undefined
  }

  restsOn(change: AuthorityChange): boolean {
    return change.kind === 'authKey' && change.keyId === this.#accepted?.key.keyId
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

  /** A good token that is another one than the last. */
  #admit(token: VerifiedToken, nowMs: number): Reason | undefined {
    const { key, issuedAtMs } = token
    const bound = this.#boundTo
    if (bound !== undefined && !isRelated(bound, key)) return reasons.UnrelatedKeyIdInToken
    if (this.#updatesOf()?.isTooSoon(key.keyId, issuedAtMs, nowMs)) return reasons.TooManyProviderTokenUpdates
    this.#accepted = token
    if (bound === undefined) {
      this.#boundTo = key
      this.#onFirstToken()
    }
    return undefined
  }

  #updatesOf(): TokenUpdates | undefined {
    const { fidelity, tokenUpdates } = this.#gateway
    if (fidelity.tokenUpdateMinutesMin === 0 || fidelity.tokenUpdateScope === 'key') return tokenUpdates
    this.#updates ??= new TokenUpdates(fidelity.tokenUpdateMinutesMin * 60_000)
    return this.#updates
  }
}

/**
 * Apple: "Establishing a token-based connection to APNs": after a push with a team-scoped key only keys of that
 * kind and team may follow, after one with a topic-specific key only that key and its related one.
 * Unverified against Apple: the answer to a token of another team.
 */
function isRelated(first: AuthKey, other: AuthKey): boolean {
  if (first.keyId === other.keyId) return true
  if (first.teamId !== other.teamId) return false
  if (first.topics === 'all' || other.topics === 'all') return first.topics === other.topics
  return first.relatedKeyId === other.keyId || other.relatedKeyId === first.keyId
}
