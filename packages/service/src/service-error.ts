export type ServiceErrorCode =
  /** The directory cannot be made, read or written, or holds something else than our database. */
  | 'DATA_DIRECTORY'
  /** Somebody else listens on the port. */
  | 'PORT_TAKEN'
  /** The address cannot be listened on: it is not of this machine, or the port needs rights. */
  | 'ADDRESS_UNUSABLE'
  /** Certificate or key of the listeners cannot be read, or do not belong together. */
  | 'CERTIFICATE_UNUSABLE'
  /** A CA certificate of the authority cannot be read. */
  | 'AUTHORITY_UNUSABLE'

/** Why the push service could not start: one sentence that names the thing and what to do, the origin in `cause`. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError'
  readonly code: ServiceErrorCode

  constructor(code: ServiceErrorCode, message: string, cause: unknown) {
    super(message, { cause })
    this.code = code
  }
}
