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
  /** An option has a value that it cannot have, or does not exist. */
  | 'OPTION_INVALID'
  /** The admin API has a port and no key. */
  | 'ADMIN_KEY_MISSING'

/** Why the push service could not start: `message` names the thing, `fix` says what to do, `cause` holds the origin. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError'
  readonly code: ServiceErrorCode
  readonly fix: string

  constructor(code: ServiceErrorCode, message: string, fix: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
    this.fix = fix
  }
}
