import { type Environment, type Reason, reasons } from '@carillon/wire'
import type { AuthKey, Authority } from '../authority.ts'
import { limits } from '../limits.ts'
import { RecentMap } from '../recent-map.ts'
import { decodeProviderToken, isProviderTokenSigned } from './provider-token.ts'

/** A provider token whose signature, key and team are right. Its age is not checked: that changes by itself. */
export interface VerifiedToken {
  readonly key: AuthKey
  readonly issuedAtMs: number
}

/**
 * The provider tokens of one gateway, each verified once and then known by its text. Forgets them all when an
 * auth key changes, so a revoked key is refused from the next request on.
 */
export class ProviderTokens {
  readonly #authority: Authority
  readonly #environment: Environment
  readonly #verified = new RecentMap<string, VerifiedToken>(limits.providerTokensCachedMax)
  readonly close: () => void

  constructor(authority: Authority, environment: Environment) {
    this.#authority = authority
    this.#environment = environment
    this.close = authority.onChange((change) => {
      if (change.kind === 'authKey') this.#verified.clear()
    })
  }

  known(text: string): VerifiedToken | undefined {
    return this.#verified.get(text)
  }

  /** About 100 µs where the token is well-formed and its key is known. */
  verify(text: string): VerifiedToken | Reason {
    const token = decodeProviderToken(text)
    if (token === undefined) return reasons.InvalidProviderToken
    const key = this.#authority.authKey(token.keyId)
    // Unverified against Apple: the answer to a revoked key. It is answered as a key that never was.
    if (key === undefined || key.revoked || key.teamId !== token.teamId) return reasons.InvalidProviderToken
    if (!isProviderTokenSigned(token, key.publicKey)) return reasons.InvalidProviderToken
    if (key.environment !== 'all' && key.environment !== this.#environment) {
      return reasons.BadEnvironmentKeyInToken
    }
    const verified: VerifiedToken = { key, issuedAtMs: token.issuedAtMs }
    this.#verified.set(text, verified)
    return verified
  }
}

export function isVerified(outcome: VerifiedToken | Reason): outcome is VerifiedToken {
  return 'key' in outcome
}
