import type { KeyObject } from 'node:crypto'

/**
 * What the portal can do, the same whether it works on a directory (`openPortal`) or on a running system over
 * HTTPS (`openPortalClient`). Times are milliseconds since 1970; every rejection is a `PortalError`.
 */
export interface PortalOperations {
  readonly team: Team
  readonly ca: CertificateAuthorityOperations
  readonly apps: AppOperations
  readonly certificates: CertificateOperations
  readonly keys: KeyOperations
  readonly devices: DeviceOperations
  readonly profiles: ProfileOperations
  /** Releases files and connections. Calling it twice is allowed. */
  close(): Promise<void>
}

/** The one team of this portal. `teamId` has 10 characters of A-Z and 0-9 and never changes. */
export interface Team {
  readonly teamId: string
  readonly name: string
}

export interface CertificateAuthorityOperations {
  /** The self-signed root certificate: what clients pin. */
  readonly rootPem: string
  /** Issuing CA, then root: what goes behind a push or server certificate. */
  readonly chainPem: string
  /** The CA that signs device certificates (itself signed by the root). */
  readonly deviceCaPem: string
  /** SHA-256 of the root certificate, 32 bytes in upper-case hex joined by colons. */
  readonly fingerprint: string
  /** A server certificate for localhost, 127.0.0.1, ::1 and the names and addresses given. */
  issueServerCertificate(request: ServerCertificateRequest): Promise<ServerCertificate>
  /** A signed revocation list (DER), good for 7 days: push certificates (`issuing`) or device ones (`device`). */
  revocationList(issuer: 'issuing' | 'device'): Promise<Uint8Array>
}

export interface ServerCertificateRequest {
  /** DNS names (a leading `*.` is allowed) or IP addresses, besides the loopback ones. */
  readonly names?: readonly string[]
  /** 395 when absent, at most 825. */
  readonly validityDays?: number
  /** Milliseconds since the epoch; now when absent. A past one makes a certificate that is over, for tests. */
  readonly notBefore?: number
}

export interface ServerCertificate {
  /** The certificate and the issuing CA behind it, ready for `tls.createServer({ cert })`. */
  readonly certPem: string
  readonly keyPem: string
  readonly serial: string
  readonly notAfter: number
}

// ---- App IDs ----

export interface AppOperations {
  /** Errors: `APP_EXISTS`, `BUNDLE_ID_INVALID`, `APP_WILDCARD_NO_PUSH`, `APP_PUSH_OFF`, `APP_LIMIT`. */
  create(request: AppRequest): Promise<App>
  list(): Promise<App[]>
  /** Rejects with `APP_UNKNOWN`. */
  get(bundleId: string): Promise<App>
  /**
   * Changes what is given and leaves the rest. Without push there is no broadcast capability either; switching
   * that off deletes all channels of the app. Errors: `APP_UNKNOWN`, `APP_WILDCARD_NO_PUSH`, `APP_PUSH_OFF`.
   */
  update(bundleId: string, change: AppChange): Promise<App>
}

export interface AppRequest {
  readonly bundleId: string
  readonly name: string
  /** The push capability; true when absent (false for a wildcard App ID). */
  readonly push?: boolean
  /** How many notifications are kept for a device that is away; 1 (Apple's rule) when absent. */
  readonly inboxMax?: number
  /** The broadcast capability, which needs push; false when absent. */
  readonly broadcast?: boolean
}

export interface AppChange {
  readonly name?: string
  readonly push?: boolean
  readonly inboxMax?: number
  readonly broadcast?: boolean
}

export interface App {
  readonly bundleId: string
  readonly name: string
  readonly teamId: string
  /** `<teamId>.<bundleId>` */
  readonly appId: string
  readonly push: boolean
  readonly inboxMax: number
  readonly broadcast: boolean
  readonly createdAt: number
}

// ---- push certificates ----

export const pushCertificateKinds = ['sandbox', 'production', 'universal'] as const
export type PushCertificateKind = (typeof pushCertificateKinds)[number]

export interface CertificateOperations {
  /** Errors: `APP_UNKNOWN`, `APP_PUSH_OFF`, `CSR_INVALID`. */
  create(request: CertificateRequest): Promise<IssuedCertificate>
  /** Push certificates, newest first. */
  list(): Promise<Certificate[]>
  /** Rejects with `CERTIFICATE_UNKNOWN`. */
  get(serial: string): Promise<Certificate>
  /** Revoking twice is allowed and keeps the first time. */
  revoke(serial: string): Promise<Certificate>
}

export interface CertificateRequest {
  readonly bundleId: string
  readonly kind: PushCertificateKind
  /** A PKCS#10 request in PEM. Without it the portal makes the key and returns it once. */
  readonly csrPem?: string
  /** The kind of key the portal makes; `p256` when absent. Not allowed together with `csrPem`. */
  readonly keyType?: 'rsa' | 'p256'
  /** Protects the .p12; a random one is made when absent. Not allowed together with `csrPem`. */
  readonly p12Password?: string
}

export interface Certificate {
  /** Serial number, 16 lower-case hex digits. */
  readonly serial: string
  readonly bundleId: string
  readonly kind: PushCertificateKind
  readonly status: 'active' | 'revoked' | 'expired'
  readonly notBefore: number
  readonly notAfter: number
  readonly revokedAt?: number
  /** The certificate alone, PEM. */
  readonly certPem: string
}

export interface IssuedCertificate extends Certificate {
  /** Issuing CA and root, PEM. */
  readonly chainPem: string
  /** The certificate alone, DER: the content of a `.cer` file. */
  readonly cerDer: Uint8Array
  /** PKCS#8, only where the portal made the key. It is not kept. */
  readonly keyPem?: string
  /** Key, certificate and chain, AES-256 and SHA-256; only where the portal made the key. */
  readonly p12?: Uint8Array
  readonly p12Password?: string
}

// ---- auth keys ----

export const keyEnvironments = ['all', 'sandbox', 'production'] as const
export type KeyEnvironment = (typeof keyEnvironments)[number]

export interface KeyOperations {
  create(request: KeyRequest): Promise<IssuedKey>
  list(): Promise<AuthKey[]>
  /** Rejects with `KEY_UNKNOWN`. */
  get(keyId: string): Promise<AuthKey>
  /** Revoking twice is allowed and keeps the first time. */
  revoke(keyId: string): Promise<AuthKey>
}

export interface KeyRequest {
  readonly name: string
  /** `all` when absent. */
  readonly environment?: KeyEnvironment
  /** Restricts the key to these topics; a key of the whole team when absent. */
  readonly topics?: readonly string[]
  /**
   * Another key for topics, of the same environment and without a related one: the push service takes both on one
   * connection, so that one can replace the other.
   */
  readonly relatedKeyId?: string
}

export interface AuthKey {
  /** 10 characters of A-Z and 0-9: the `kid` of the token. */
  readonly keyId: string
  readonly teamId: string
  readonly name: string
  readonly environment: KeyEnvironment
  readonly scope: 'team' | 'topics'
  readonly topics: readonly string[]
  /** Absent where there is none; each of two related keys names the other. */
  readonly relatedKeyId?: string
  readonly status: 'active' | 'revoked'
  readonly createdAt: number
  readonly revokedAt?: number
  /** SPKI, PEM. The private half is not kept. */
  readonly publicKeyPem: string
}

export interface IssuedKey extends AuthKey {
  /** PKCS#8 PEM: the content of `AuthKey_<keyId>.p8`. Shown this once. */
  readonly privateKeyPem: string
}

// ---- devices ----

export interface DeviceOperations {
  /** Errors: `DEVICE_EXISTS`, `UDID_INVALID`. */
  add(request: DeviceRequest): Promise<Device>
  list(): Promise<Device[]>
  /** By device id or UDID. Rejects with `DEVICE_UNKNOWN`. */
  get(device: string): Promise<Device>
  /** Turns a request of the device's own key into its device certificate. */
  activate(request: DeviceActivationRequest): Promise<DeviceActivation>
  /** Refuses the device from now on; its certificates become worthless. By device id or UDID. */
  disable(device: string): Promise<Device>
}

export interface DeviceRequest {
  readonly name: string
  /** `8-16` hex digits (40 hex digits for old devices); made by the portal when absent. */
  readonly udid?: string
}

export interface Device {
  /** 10 characters of A-Z and 0-9: the portal's own id. */
  readonly deviceId: string
  readonly udid: string
  readonly name: string
  /** False for a device that only activated itself and may not be named in a profile until it is added. */
  readonly registered: boolean
  readonly status: 'enabled' | 'disabled'
  readonly createdAt: number
  readonly activatedAt?: number
}

/** Either `deviceId` or `udid` of a known device, or `new: true` for any other (with `udid` if it has one). */
export interface DeviceActivationRequest {
  /** PKCS#10 in PEM, RSA of 2048 bits or more, or P-256. */
  readonly csrPem: string
  readonly deviceId?: string
  readonly udid?: string
  readonly new?: boolean
  readonly name?: string
}

export interface DeviceActivation {
  readonly deviceId: string
  readonly udid: string
  /** The device certificate: subject UID = UDID, CN = device id. */
  readonly certPem: string
  /** Device CA and root, PEM. */
  readonly chainPem: string
  readonly serial: string
  readonly notAfter: number
}

// ---- provisioning profiles ----

export const profileKinds = ['development', 'adhoc', 'appstore', 'inhouse'] as const
export type ProfileKind = (typeof profileKinds)[number]

export interface ProfileOperations {
  /** Errors: `APP_UNKNOWN`, `PROFILE_NEEDS_DEVICES`, `PROFILE_TAKES_NO_DEVICES`, `DEVICE_UNKNOWN`. */
  create(request: ProfileRequest): Promise<IssuedProfile>
  list(): Promise<Profile[]>
  /** Rejects with `PROFILE_UNKNOWN`. */
  get(uuid: string): Promise<IssuedProfile>
}

export interface ProfileRequest {
  readonly bundleId: string
  readonly kind: ProfileKind
  /** Device ids or UDIDs: at least one for `development` and `adhoc`, none for the others. */
  readonly deviceIds?: readonly string[]
  readonly name?: string
}

export interface Profile {
  readonly uuid: string
  readonly name: string
  readonly bundleId: string
  readonly kind: ProfileKind
  readonly createdAt: number
  readonly expiresAt: number
}

export interface IssuedProfile extends Profile {
  /** The `.mobileprovision` file: CMS SignedData around the property list. */
  readonly der: Uint8Array
}

// ---- what the push service asks ----

/** A change that the push service has to know at once. It reads the new state from `lookup`. */
export type PortalChange =
  | { readonly type: 'app'; readonly bundleId: string }
  | { readonly type: 'key'; readonly keyId: string; readonly status: 'active' | 'revoked' }
  | { readonly type: 'certificate'; readonly serial: string; readonly status: 'active' | 'revoked' }
  /** A disabled device is also told as its revoked certificates, one change for each. */
  | {
      readonly type: 'device'
      readonly deviceId: string
      readonly udid: string
      readonly status: 'enabled' | 'disabled'
    }

/** Answers from memory, without waiting: for the path of a push. */
export interface PortalLookup {
  app(bundleId: string): App | undefined
  /** All App IDs, in no order. */
  apps(): readonly App[]
  key(keyId: string): AuthKey | undefined
  /** The public half, ready for `crypto.verify`; of revoked keys too. */
  publicKeyOf(keyId: string): KeyObject | undefined
  /**
   * By serial number in lower-case hex. Push certificates have all states; certificates of disabled devices are
   * `revoked`, those of other devices and everything else `unknown`.
   */
  certificateStatus(serial: string): 'active' | 'revoked' | 'expired' | 'unknown'
  /** By device id or UDID. Whether the device is one of ours is what its certificate proves. */
  isDeviceDisabled(device: string): boolean
}

/** The portal over its own directory. */
export interface Portal extends PortalOperations {
  readonly lookup: PortalLookup
  /** Files of the data directory that others need by name. */
  readonly files: PortalFiles
  /** Calls the listener after a change is on disk. Returns the function that ends it. */
  onChange(listener: (change: PortalChange) => void): () => void
}

/** Absolute or as relative as the data directory was. */
export interface PortalFiles {
  /** The root certificate (PEM), for clients to trust. */
  readonly rootCertificate: string
  /** The bearer key of the HTTP API; readable by the owner only. */
  readonly adminKey: string
  /** The secret with which new devices may activate themselves; readable by the owner only. */
  readonly enrolmentKey: string
}
