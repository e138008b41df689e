export type DeviceErrorCode =
  | 'PROFILE_UNREADABLE'
  | 'PROFILE_UNTRUSTED'
  | 'PROFILE_EXPIRED'
  | 'PROFILE_OTHER_APP'
  | 'PROFILE_OTHER_DEVICE'
  | 'PROFILE_WITHOUT_PUSH'
  | 'DEVICE_AMBIGUOUS'
  | 'ACTIVATION_FAILED'
  | 'STATE_UNREADABLE'
  | 'STATE_IN_USE'
  | 'REGISTRATION_REFUSED'
  | 'REGISTRATION_UNANSWERED'
  | 'CHANNEL_UNKNOWN'
  | 'CHANNEL_INVALID'
  | 'CHANNEL_UNANSWERED'
  | 'CHANNEL_LIMIT'
  | 'CHANNEL_APP_MISSING'
  | 'ENVIRONMENT_UNKNOWN'
  | 'DEVICE_CLOSED'

/** Why a device cannot do what it was asked: `message` names the thing, `fix` says what to do about it. */
export class DeviceError extends Error {
  override readonly name = 'DeviceError'
  readonly code: DeviceErrorCode
  readonly fix: string

  constructor(code: DeviceErrorCode, message: string, fix: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.fix = fix
  }
}

export function closedError(): DeviceError {
  return new DeviceError('DEVICE_CLOSED', 'This device is closed.', 'Start it again.')
}
