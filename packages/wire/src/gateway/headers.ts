/** Every header name of the provider API, of broadcasts and of channel management, as it stands on the wire. */
export const header = {
  method: ':method',
  path: ':path',
  scheme: ':scheme',
  authority: ':authority',
  status: ':status',

  host: 'host',
  authorization: 'authorization',
  contentType: 'content-type',
  contentLength: 'content-length',
  userAgent: 'user-agent',
  retryAfter: 'retry-after',

  apnsId: 'apns-id',
  apnsPushType: 'apns-push-type',
  apnsTopic: 'apns-topic',
  apnsPriority: 'apns-priority',
  apnsExpiration: 'apns-expiration',
  apnsCollapseId: 'apns-collapse-id',

  /** Channel management and broadcasts only. */
  apnsChannelId: 'apns-channel-id',
  apnsRequestId: 'apns-request-id',

  /** Answers of the sandbox only: the key into the delivery log. */
  apnsUniqueId: 'apns-unique-id',
} as const

/** A header name of {@link header}. */
export type HeaderName = (typeof header)[keyof typeof header]

/** The body of every error answer, and of the answers of channel management, is of this type. */
export const contentTypeJson = 'application/json'

/** The scheme of `authorization` as Apple writes it. */
export const bearerScheme = 'bearer'

/**
 * The provider token of an `authorization` value; '' when it is absent, empty or of another scheme, which all
 * count as "no token". The scheme is compared without regard to case, because real clients send either.
 * RFC 9110 §11.1
 */
export function bearerTokenOf(authorization: string): string {
  if (authorization.length < 8) return ''
  for (let index = 0; index < 6; index++) {
    if ((authorization.charCodeAt(index) | 0x20) !== bearerScheme.charCodeAt(index)) return ''
  }
  if (authorization.charCodeAt(6) !== 0x20) return ''
  let start = 7
  while (authorization.charCodeAt(start) === 0x20) start += 1
  return authorization.slice(start)
}
