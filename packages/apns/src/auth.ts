import type { KeyObject } from 'node:crypto'

/** An auth key from the developer portal (`AuthKey_<keyId>.p8`): serves all apps of the team. */
export type TokenAuth = TokenIdentity & (KeyMaterial | KeyFile)

interface TokenIdentity {
  readonly type: 'token'
  /** Ten characters, the team that owns the app. */
  readonly teamId: string
}

interface KeyMaterial {
  /** Ten characters, in the name of the .p8 file. */
  readonly keyId: string
  /** The contents of the .p8 file, or the key made of it. */
  readonly privateKey: string | Uint8Array | KeyObject
  readonly keyFile?: never
}

interface KeyFile {
  /** The path of the .p8 file; read while the client is made. */
  readonly keyFile: string | URL
  /** May be left out where the file is named `AuthKey_<keyId>.p8`. */
  readonly keyId?: string
  readonly privateKey?: never
}

/** A push certificate and its key in PEM: serves the one app that it was issued for. */
export type CertificateAuth = {
  readonly type: 'certificate'
  /** For an encrypted key. */
  readonly passphrase?: string
} & (
  | { readonly cert: string | Uint8Array; readonly certFile?: never }
  /** A path; the file may hold the key, too, and then is named twice. Read while the client is made. */
  | { readonly certFile: string | URL; readonly cert?: never }
) &
  (
    | { readonly key: string | Uint8Array; readonly keyFile?: never }
    | { readonly keyFile: string | URL; readonly key?: never }
  )

/** A push certificate and its key as exported from a keychain (.p12, .pfx): bytes, or a path read at the start. */
export type P12Auth = {
  readonly type: 'p12'
  readonly passphrase?: string
} & (
  | { readonly pfx: Uint8Array; readonly pfxFile?: never }
  | { readonly pfxFile: string | URL; readonly pfx?: never }
)

export type Auth = TokenAuth | CertificateAuth | P12Auth
