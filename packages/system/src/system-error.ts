export type SystemErrorCode =
  | 'DATA_DIRECTORY'
  | 'NOT_RUNNING'
  | 'PORT_TAKEN'
  | 'ADDRESS'
  | 'START_FAILED'
  | 'ENDPOINTS_UNREADABLE'
  /** The configuration file cannot be read or understood. */
  | 'CONFIGURATION'

/** Why a system could not be started or found: `message` names the thing, `fix` says what to do about it. */
export class SystemError extends Error {
  override readonly name = 'SystemError'
  readonly code: SystemErrorCode
  readonly fix: string

  constructor(code: SystemErrorCode, message: string, fix: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.fix = fix
  }
}
