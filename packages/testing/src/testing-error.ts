export type TestingErrorCode =
  /** What was waited for did not happen in time. */
  | 'WAITED_TOO_LONG'
  /** The redirect does not know where to go. */
  | 'REDIRECT_UNKNOWN'

/** Why a test could not go on: one sentence, and what to do. */
export class TestingError extends Error {
  override readonly name = 'TestingError'
  readonly code: TestingErrorCode
  readonly fix: string

  constructor(code: TestingErrorCode, message: string, fix: string, cause?: unknown) {
    super(`${message} ${fix}`, cause === undefined ? undefined : { cause })
    this.code = code
    this.fix = fix
  }
}
