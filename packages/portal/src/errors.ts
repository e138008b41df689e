/** Every way in which the portal says no: the code, and the HTTP status that the API answers with. */
export const portalErrorStatus = {
  APP_EXISTS: 409,
  APP_UNKNOWN: 404,
  APP_LIMIT: 409,
  APP_PUSH_OFF: 409,
  APP_WILDCARD_NO_PUSH: 409,
  BUNDLE_ID_INVALID: 400,
  CERTIFICATE_UNKNOWN: 404,
  CERTIFICATE_LIMIT: 409,
  CSR_INVALID: 400,
  DEVICE_DISABLED: 409,
  DEVICE_EXISTS: 409,
  DEVICE_LIMIT: 409,
  DEVICE_UNKNOWN: 404,
  KEY_LIMIT: 409,
  KEY_UNKNOWN: 404,
  PROFILE_LIMIT: 409,
  PROFILE_NEEDS_DEVICES: 409,
  PROFILE_TAKES_NO_DEVICES: 409,
  PROFILE_UNKNOWN: 404,
  REQUEST_INVALID: 400,
  NAME_INVALID: 400,
  UDID_INVALID: 400,
  UNAUTHORIZED: 401,
  NOT_FOUND: 404,
  CA_BROKEN: 500,
  DATA_DIRECTORY: 500,
  DATA_DIRECTORY_IN_USE: 409,
  DATABASE: 500,
  INTERNAL: 500,
  LISTEN_FAILED: 500,
  REQUEST_TOO_LARGE: 413,
  UNREACHABLE: 502,
} as const

export type PortalErrorCode = keyof typeof portalErrorStatus

/** A refusal or failure of the portal: `message` names the thing, `fix` says what to do about it. */
export class PortalError extends Error {
  override readonly name = 'PortalError'
  readonly code: PortalErrorCode
  readonly fix: string

  constructor(code: PortalErrorCode, message: string, fix: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.fix = fix
  }

  /** The HTTP status that belongs to the code. */
  get status(): number {
    return portalErrorStatus[this.code]
  }
}
