import { createPrivateKey, KeyObject } from 'node:crypto'
import { createSecureContext, type SecureContext } from 'node:tls'
import { isKeyId, isTeamId } from '@carillon/wire'
import { ArgumentError, kindOf } from './errors.ts'
import { sharedSigner, type TokenSigner } from './token-signer.ts'

/** An auth key from the developer portal (`AuthKey_<keyId>.p8`): serves all apps of the team. */
export interface TokenAuth {
  readonly type: 'token'
  /** Ten characters, in the name of the .p8 file. */
  readonly keyId: string
  /** Ten characters, the team that owns the app. */
  readonly teamId: string
  /** The contents of the .p8 file, or the key made of it. */
  readonly privateKey: string | Uint8Array | KeyObject
}

/** A push certificate and its key in PEM: serves the one app that it was issued for. */
export interface CertificateAuth {
  readonly type: 'certificate'
  readonly cert: string | Uint8Array
  readonly key: string | Uint8Array
  /** For an encrypted key. */
  readonly passphrase?: string
}

/** A push certificate and its key as exported from a keychain (.p12, .pfx). */
export interface P12Auth {
  readonly type: 'p12'
  readonly pfx: Uint8Array
  readonly passphrase?: string
}

export type Auth = TokenAuth | CertificateAuth | P12Auth

/** Who a client is: the signer of its provider tokens, or what its TLS handshakes show. */
export interface Identity {
  readonly signer: TokenSigner | undefined
  readonly secureContext: SecureContext
}

type Pem = string | Buffer

/** Checks credentials where they are given, so that a bad key is found before the first push. */
export const identityOf = (auth: Auth, ca: string | Uint8Array | readonly string[] | undefined): Identity => {
  if (typeof auth !== 'object' || auth === null) {
    throw new ArgumentError('auth', `give { type: 'token', keyId, teamId, privateKey }, not ${kindOf(auth)}`)
  }
  const trusted = ca === undefined ? {} : { ca: asPemList(ca) }
  switch (auth.type) {
    case 'token':
      return { signer: signerOf(auth), secureContext: secureContextOf('ca', trusted) }
    case 'certificate':
      for (const field of ['cert', 'key'] as const) checkMaterial(`auth.${field}`, auth[field])
      return {
        signer: undefined,
        secureContext: secureContextOf('auth', {
          ...trusted,
          cert: asPem(auth.cert),
          key: asPem(auth.key),
          ...(auth.passphrase === undefined ? {} : { passphrase: auth.passphrase }),
        }),
      }
    case 'p12':
      if (!(auth.pfx instanceof Uint8Array)) {
        throw new ArgumentError('auth.pfx', `give the bytes of the .p12 file, not ${kindOf(auth.pfx)}`)
      }
      return { signer: undefined, secureContext: p12Context(auth, trusted) }
    default:
      throw new ArgumentError('auth.type', `'token', 'certificate' or 'p12'`)
  }
}

const asPem = (material: string | Uint8Array): Pem =>
  typeof material === 'string'
    ? material
    : Buffer.from(material.buffer, material.byteOffset, material.byteLength)

const asPemList = (ca: string | Uint8Array | readonly string[]): string[] => {
  const list = typeof ca === 'string' || ca instanceof Uint8Array ? [asPem(ca).toString()] : [...ca]
  for (const pem of list) {
    // OpenSSL ignores what it cannot read here, and every connect would fail for another reason.
    if (typeof pem !== 'string' || !pem.includes('-----BEGIN ')) {
      throw new ArgumentError('ca', 'not a certificate in PEM. Give the contents of the file, not its path')
    }
  }
  return list
}

const checkMaterial = (field: string, value: unknown): void => {
  if (typeof value === 'string' || value instanceof Uint8Array) return
  throw new ArgumentError(field, `give PEM text or its bytes, not ${kindOf(value)}`)
}

const signerOf = (auth: TokenAuth): TokenSigner => {
  if (typeof auth.keyId !== 'string' || !isKeyId(auth.keyId)) {
    throw new ArgumentError('auth.keyId', 'ten characters A-Z and 0-9, as in AuthKey_<keyId>.p8')
  }
  if (typeof auth.teamId !== 'string' || !isTeamId(auth.teamId)) {
    throw new ArgumentError('auth.teamId', 'ten characters A-Z and 0-9, shown on the membership page')
  }
  const privateKey = privateKeyOf(auth.privateKey)
  if (privateKey.asymmetricKeyType !== 'ec' || privateKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new ArgumentError(
      'auth.privateKey',
      `an auth key is an EC key on P-256, this one is ${privateKey.asymmetricKeyType ?? 'secret'}; for a push certificate use type 'certificate'`,
    )
  }
  return sharedSigner({ keyId: auth.keyId, teamId: auth.teamId, privateKey })
}

const privateKeyOf = (value: unknown): KeyObject => {
  if (value instanceof KeyObject) {
    if (value.type === 'private') return value
    throw new ArgumentError('auth.privateKey', `this KeyObject is a ${value.type} key; give the private one`)
  }
  checkMaterial('auth.privateKey', value)
  try {
    return createPrivateKey(asPem(value as string | Uint8Array))
  } catch (cause) {
    throw new ArgumentError(
      'auth.privateKey',
      'not a private key in PEM. Give the contents of the .p8 file (-----BEGIN PRIVATE KEY-----), not its path',
      cause,
    )
  }
}

type ContextOptions = Parameters<typeof createSecureContext>[0] & object

// Apple: "Establishing a connection to APNs": TLS 1.2 or newer.
const secureContextOf = (field: string, options: ContextOptions): SecureContext => {
  try {
    return createSecureContext({ minVersion: 'TLSv1.2', ...options })
  } catch (cause) {
    throw new ArgumentError(
      field,
      `OpenSSL refuses it (${messageOf(cause)}). Give PEM text, and a key that belongs to the certificate`,
      cause,
    )
  }
}

const p12Context = (auth: P12Auth, trusted: ContextOptions): SecureContext => {
  const pfx = asPem(auth.pfx)
  try {
    return createSecureContext({ minVersion: 'TLSv1.2', ...trusted, pfx, passphrase: auth.passphrase ?? '' })
  } catch (cause) {
    const message = messageOf(cause)
    // OpenSSL 3 has no RC2 and 3DES in its default provider, with which keychains protect exported files.
    if (/unsupported/i.test(message)) {
      throw new ArgumentError(
        'auth.pfx',
        'the file is encrypted with an old cipher that OpenSSL 3 refuses. Convert it: ' +
          'openssl pkcs12 -legacy -in old.p12 -nodes -out push.pem && openssl pkcs12 -export -in push.pem -out new.p12',
        cause,
      )
    }
    if (/mac verify/i.test(message))
      throw new ArgumentError('auth.passphrase', 'does not open this .p12', cause)
    throw new ArgumentError('auth.pfx', `not a usable .p12 file (${message})`, cause)
  }
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : 'unknown error')
