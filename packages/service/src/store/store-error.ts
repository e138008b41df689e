export type StoreErrorCode =
  /** A record cannot be written or read. */
  | 'STORE_RECORD_INVALID'
  /** The store was closed before the call. */
  | 'STORE_CLOSED'

/** An error of the message store itself; those of the database keep their own class. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}
