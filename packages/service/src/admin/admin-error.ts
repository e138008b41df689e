/** Every problem of the admin API with its HTTP status. */
const adminErrorStatus = {
  INVALID_REQUEST: 400,
  UNAUTHORIZED: 401,
  NOT_FOUND: 404,
  CONFLICT: 409,
  REQUEST_TOO_LARGE: 413,
  BUSY: 503,
  INTERNAL: 500,
} as const

export type AdminErrorCode = keyof typeof adminErrorStatus

/** Why a request to the admin API was not served: one sentence for whoever sent it. */
export class AdminError extends Error {
  override readonly name = 'AdminError'
  readonly code: AdminErrorCode
  readonly status: number

  constructor(code: AdminErrorCode, message: string, options: { cause?: unknown; status?: number } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.status = options.status ?? adminErrorStatus[code]
  }
}
