import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { signersMax } from './limits.ts'

const minuteMs = 60_000

/**
 * `iat` is floored to this window, so that all processes with one key claim the same and the service sees one
 * update in half an hour, not one per process. A token is renewed at the end of its window, but never sooner
 * than 20 minutes after it was made: so it is at most 50 minutes old.
 * Apple: "Establishing a token-based connection to APNs": at most once in 20 minutes, at least once in 60.
 */
const windowMs = 30 * minuteMs
const renewalMsMin = 20 * minuteMs

/** A provider token as sent, and which of its signer's tokens it is. */
export interface ProviderToken {
  /** `bearer <JWT>`, the value of the authorization header. */
  readonly header: string
  /** Seconds since 1970, the `iat` claim. */
  readonly issuedAt: number
  /** Grows by one with each token of a signer. */
  readonly version: number
}

export interface SigningKey {
  readonly keyId: string
  readonly teamId: string
  readonly privateKey: KeyObject
}

/** Makes the provider tokens of one key. All clients of a process that use this key share one signer. */
export class TokenSigner {
  readonly #key: SigningKey
  #token: ProviderToken | undefined
  #madeAt = 0
  #renewedAt = Number.NEGATIVE_INFINITY

  constructor(key: SigningKey) {
    this.#key = key
  }

  /** The token to send at `now` (milliseconds since 1970). */
  token(now: number): ProviderToken {
    const token = this.#token
    if (token !== undefined && now < this.#renewAt(token) && now > this.#madeAt - renewalMsMin) return token
    return this.#make(Math.floor(now / windowMs) * (windowMs / 1000), now)
  }

  /**
   * The service called token `version` expired. Makes a newer one, unless there is one already or the
   * last renewal of this kind is less than 20 minutes old (then false). The new `iat` is not floored: this clock and the
   * service's are apart, or the token would not have expired.
   */
  renewExpired(version: number, now: number): boolean {
    const token = this.token(now)
    if (token.version > version) return true
    if (now - this.#renewedAt < renewalMsMin) return false
    this.#renewedAt = now
    this.#make(Math.max(Math.floor(now / 1000), token.issuedAt + 1), now)
    return true
  }

  #renewAt(token: ProviderToken): number {
    const windowEnd = Math.floor((token.issuedAt * 1000) / windowMs) * windowMs + windowMs
    return Math.max(windowEnd, this.#madeAt + renewalMsMin)
  }

  #make(issuedAt: number, now: number): ProviderToken {
    const version = (this.#token?.version ?? 0) + 1
    const token = { header: `bearer ${signToken(this.#key, issuedAt)}`, issuedAt, version }
    this.#token = token
    this.#madeAt = now
    return token
  }
}

/** A JWS in compact form, signed with ES256 (RFC 7518 §3.4: R and S, 32 bytes each, not DER). */
export const signToken = (key: SigningKey, issuedAt: number): string => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part({ alg: 'ES256', kid: key.keyId })}.${part({ iss: key.teamId, iat: issuedAt })}`
  const signature = sign('sha256', Buffer.from(signed), { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
  return `${signed}.${signature.toString('base64url')}`
}

const signers = new Map<string, TokenSigner>()

/** The one signer of this process for a key; the same key under another id or team is another one. */
export const sharedSigner = (key: SigningKey): TokenSigner => {
  const publicKey = createPublicKey(key.privateKey).export({ type: 'spki', format: 'der' })
  const name = `${key.teamId}.${key.keyId}.${createHash('sha256').update(publicKey).digest('hex')}`
  const signer = signers.get(name) ?? new TokenSigner(key)
  signers.delete(name)
  signers.set(name, signer)
  const oldest = signers.keys().next().value
  if (signers.size > signersMax && oldest !== undefined) signers.delete(oldest)
  return signer
}
