export type RegistryErrorCode =
  /** Too many look-ups wait for the database. */
  | 'REGISTRY_BUSY'
  /** A row does not hold what was written: the database was changed from outside, or is damaged. */
  | 'REGISTRY_DAMAGED'

/** A failure of the registry itself; failures of the database pass through as DatabaseError. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError'
  readonly code: RegistryErrorCode

  constructor(code: RegistryErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
