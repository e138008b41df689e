/** Who a provider connection has shown to be; empty while it has not. */
export interface ProviderIdentity {
  readonly teamId?: string
  /** Of its provider tokens. */
  readonly keyId?: string
  /** Of its client certificate, lower-case hex. */
  readonly certificateSerial?: string
  /** The app that the certificate was issued for. */
  readonly bundleId?: string
}

/** A provider connection as operators see it. */
export interface ProviderConnection {
  readonly openedAtMs: number
  /** '' where it is not known any more. */
  readonly address: string
  readonly identity: ProviderIdentity
  /** Requests answered 200, and others. */
  readonly accepted: number
  readonly rejected: number
}
