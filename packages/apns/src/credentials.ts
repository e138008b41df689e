import { createPrivateKey, KeyObject } from 'node:crypto'
import { createSecureContext, type SecureContext } from 'node:tls'
import { isKeyId, isTeamId } from '@carillon/wire'
import type { Auth, CertificateAuth, P12Auth, TokenAuth } from './auth.ts'
import { readCredentialFile } from './drivers/credential-file.ts'
import { ArgumentError, kindOf } from './errors.ts'
import { sharedSigner, type TokenSigner } from './token-signer.ts'

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
      return { signer: undefined, secureContext: certificateContext(auth, trusted) }
    case 'p12':
      return { signer: undefined, secureContext: p12Context(auth, trusted) }
    default:
      throw new ArgumentError('auth.type', `'token', 'certificate' or 'p12'`)
  }
}

const certificateContext = (auth: CertificateAuth, trusted: ContextOptions): SecureContext => {
  const cert = asPem(materialOf('cert', auth.cert, 'certFile', auth.certFile))
  const key = asPem(materialOf('key', auth.key, 'keyFile', auth.keyFile))
  checkPem('cert', cert, auth.certFile, 'openssl x509 -inform der')
  checkPem('key', key, auth.keyFile, 'openssl pkey -inform der')
  const secret = auth.passphrase === undefined ? {} : { passphrase: auth.passphrase }
  return secureContextOf('auth', { ...trusted, cert, key, ...secret })
}

/** What comes from Apple's portal is a `.cer`: the same in DER, which OpenSSL finds no start line in. */
const checkPem = (field: string, pem: Pem, file: string | URL | undefined, convert: string): void => {
  if (pem.includes('-----BEGIN ')) return
  throw file === undefined
    ? new ArgumentError(
        `auth.${field}`,
        `not PEM. Give the contents of the file, or its path as ${field}File`,
      )
    : new ArgumentError(
        `auth.${field}File`,
        `${String(file)} is not PEM. If it is DER, as Apple's .cer files are, convert it: ${convert} -in ${String(file)} -out ${field}.pem`,
      )
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

/** Contents that were given, or those of the file that was named instead. */
const materialOf = (
  field: string,
  value: string | Uint8Array | undefined,
  fileField: string,
  file: string | URL | undefined,
): string | Uint8Array => {
  if (file === undefined) {
    checkMaterial(`auth.${field}`, value)
    return value as string | Uint8Array
  }
  if (value !== undefined) throw new ArgumentError(`auth.${field}`, `leave it out beside ${fileField}`)
  return readCredentialFile(`auth.${fileField}`, file)
}

const signerOf = (auth: TokenAuth): TokenSigner => {
  const keyId = auth.keyId ?? /AuthKey_([A-Z0-9]{10})\.p8$/.exec(String(auth.keyFile))?.[1]
  if (typeof keyId !== 'string' || !isKeyId(keyId)) {
    throw new ArgumentError('auth.keyId', 'ten characters A-Z and 0-9, as in AuthKey_<keyId>.p8')
  }
  if (typeof auth.teamId !== 'string' || !isTeamId(auth.teamId)) {
    throw new ArgumentError('auth.teamId', 'ten characters A-Z and 0-9, shown on the membership page')
  }
  const privateKey = privateKeyOf(auth)
  if (privateKey.asymmetricKeyType !== 'ec' || privateKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new ArgumentError(
      'auth.privateKey',
      `an auth key is an EC key on P-256, this one is ${privateKey.asymmetricKeyType ?? 'secret'}; for a push certificate use type 'certificate'`,
    )
  }
  return sharedSigner({ keyId, teamId: auth.teamId, privateKey })
}

const privateKeyOf = ({ privateKey: value, keyFile }: TokenAuth): KeyObject => {
  if (value instanceof KeyObject) {
    if (value.type === 'private') return value
    throw new ArgumentError('auth.privateKey', `this KeyObject is a ${value.type} key; give the private one`)
  }
  const material = asPem(materialOf('privateKey', value, 'keyFile', keyFile))
  try {
    return createPrivateKey(material)
  } catch (cause) {
    if (keyFile === undefined && material.includes('-----BEGIN ') && material.includes('\\n')) {
      throw new ArgumentError(
        'auth.privateKey',
        String.raw`its line ends are the two characters \n, as environment variables have them: use .replaceAll('\\n', '\n')`,
        cause,
      )
    }
    throw keyFile === undefined
      ? new ArgumentError(
          'auth.privateKey',
          'not a private key in PEM. Give the contents of the .p8 file (-----BEGIN PRIVATE KEY-----), or its path as keyFile',
          cause,
        )
      : new ArgumentError('auth.keyFile', `${String(keyFile)} is not a private key in PEM`, cause)
  }
}

type ContextOptions = Parameters<typeof createSecureContext>[0] & object

// Apple: "Establishing a connection to APNs": TLS 1.2 or newer.
const secureContextOf = (field: string, options: ContextOptions): SecureContext => {
  try {
    return createSecureContext({ minVersion: 'TLSv1.2', ...options })
  } catch (cause) {
    if (/bad decrypt|bad password|interrupted or cancelled/i.test(messageOf(cause))) {
      const why =
        options.passphrase === undefined
          ? 'the key is encrypted: give its passphrase'
          : 'does not open the key'
      throw new ArgumentError('auth.passphrase', why, cause)
    }
    throw new ArgumentError(
      field,
      `OpenSSL refuses it (${messageOf(cause)}). Give PEM text, and a key that belongs to the certificate`,
      cause,
    )
  }
}

const p12Context = (auth: P12Auth, trusted: ContextOptions): SecureContext => {
  const pfx = p12Bytes(auth)
  const field = auth.pfxFile === undefined ? 'auth.pfx' : 'auth.pfxFile'
  const name = auth.pfxFile === undefined ? 'old.p12' : String(auth.pfxFile)
  try {
    return createSecureContext({ minVersion: 'TLSv1.2', ...trusted, pfx, passphrase: auth.passphrase ?? '' })
  } catch (cause) {
    const message = messageOf(cause)
    // OpenSSL 3 has no RC2 and 3DES in its default provider, with which keychains protect exported files.
    if (/unsupported/i.test(message)) {
      throw new ArgumentError(
        field,
        'the file is encrypted with an old cipher that OpenSSL 3 refuses. Convert it: ' +
          `openssl pkcs12 -legacy -in ${name} -nodes -out push.pem && openssl pkcs12 -export -in push.pem -out new.p12`,
        cause,
      )
    }
    if (/mac verify/i.test(message))
      throw new ArgumentError('auth.passphrase', 'does not open this .p12', cause)
    throw new ArgumentError(field, `not a usable .p12 file (${message})`, cause)
  }
}

const p12Bytes = ({ pfx, pfxFile }: P12Auth): Buffer => {
  if (pfxFile === undefined && !(pfx instanceof Uint8Array)) {
    throw new ArgumentError(
      'auth.pfx',
      `give the bytes of the .p12 file, or its path as pfxFile, not ${kindOf(pfx)}`,
    )
  }
  return Buffer.from(materialOf('pfx', pfx, 'pfxFile', pfxFile))
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : 'unknown error')
