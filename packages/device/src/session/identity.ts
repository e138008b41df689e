/** Who the device is: its certificate, and its key as a function that signs. */
export interface DeviceIdentity {
  readonly udid: string
  /** Device certificate and its issuers, DER. */
  readonly certificates: readonly Uint8Array[]
  /** ECDSA P-256 with SHA-256 over the bytes, in DER. */
  sign(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>
}
