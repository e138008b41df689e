/** Every way in which the provider refuses; stable, for programs to decide by. */
export type ProviderErrorCode =
  | 'UNAUTHORIZED'
  | 'INVALID_REQUEST'
  | 'INVALID_CREDENTIALS'
  | 'PAYLOAD_INVALID'
  | 'NOT_FOUND'
  | 'APP_UNKNOWN'
  | 'ENVIRONMENT_UNKNOWN'
  | 'DEVICE_UNKNOWN'
  | 'DEVICE_RETIRED'
  | 'DEVICE_OF_OTHER_APP'
  | 'RECIPIENTS_MIXED'
  | 'IDEMPOTENCY_CONFLICT'
  | 'REQUEST_TOO_LARGE'
  | 'BUSY'
  | 'TLS_REQUIRED'
  | 'ADDRESS_UNUSABLE'
  | 'INTERNAL'

const statusOf: Record<ProviderErrorCode, number> = {
  UNAUTHORIZED: 401,
  INVALID_REQUEST: 400,
  INVALID_CREDENTIALS: 400,
  PAYLOAD_INVALID: 400,
  NOT_FOUND: 404,
  APP_UNKNOWN: 404,
  ENVIRONMENT_UNKNOWN: 404,
  DEVICE_UNKNOWN: 404,
  DEVICE_RETIRED: 410,
  DEVICE_OF_OTHER_APP: 400,
  RECIPIENTS_MIXED: 400,
  IDEMPOTENCY_CONFLICT: 409,
  REQUEST_TOO_LARGE: 413,
  BUSY: 503,
  TLS_REQUIRED: 500,
  ADDRESS_UNUSABLE: 500,
  INTERNAL: 500,
}

/** What a ProviderError may add to its sentence. */
export interface ProviderErrorDetails {
  /** Apple's reason, where the push service would answer with one. */
  readonly reason?: string
  /** The HTTP status, where it is not the usual one of the code. */
  readonly status?: number
  readonly cause?: unknown
}

/** An error of the provider: `code` for programs, one sentence that names the thing and the fix. */
export class ProviderError extends Error {
  override readonly name = 'ProviderError'
  readonly code: ProviderErrorCode
  /** The HTTP status that it is answered with. */
  readonly status: number
  readonly reason: string | undefined

  constructor(code: ProviderErrorCode, message: string, details: ProviderErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.status = details.status ?? statusOf[code]
    this.reason = details.reason
  }
}
