import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type Environment, pushCertificateOid, readCertificate } from '@carillon/wire'
import type { Auth } from '../../auth.ts'
import type { ProviderOptions, ProviderToken } from './provider-options.ts'
import { VError } from './verror.ts'

type Material = string | Buffer

/** Contents where PEM or bytes were given, else those of the file of that name. */
export const readMaterial = (value: Material): Material => {
  if (Buffer.isBuffer(value) || /-----BEGIN ([A-Z\s*]+)-----/.test(value)) return value
  return readFileSync(value)
}

/** Reads and checks credentials as the original does, with its messages. */
export const authOf = (
  options: ProviderOptions & { pfxData?: Material },
  environment: Environment,
  now: number,
): Auth => {
  const { token, passphrase } = options
  if (token) return tokenAuth(token)
  const secret = passphrase === undefined ? {} : { passphrase }
  const pfx = options.pfx || options.pfxData
  if (pfx) return { type: 'p12', pfx: Buffer.from(readMaterial(pfx)), ...secret }
  const cert = readMaterial(options.cert ?? 'cert.pem')
  const key = readMaterial(options.key ?? 'key.pem')
  checkCertificate(cert, key, passphrase, environment, now)
  return { type: 'certificate', cert, key, ...secret }
}

const tokenAuth = ({ key, keyId, teamId }: ProviderToken): Auth => {
  for (const [name, value] of Object.entries({ keyId, teamId })) {
    if (!value) throw new Error(`token.${name} is missing`)
    if (typeof value !== 'string') throw new Error(`token.${name} must be a string`)
  }
  try {
    return { type: 'token', keyId, teamId, privateKey: readMaterial(key) }
  } catch (cause) {
    throw new VError('Failed loading token key', cause)
  }
}

/** What cannot be parsed is left to OpenSSL, whose message is the better one. */
const checkCertificate = (
  cert: Material,
  key: Material,
  passphrase: string | undefined,
  environment: Environment,
  now: number,
): void => {
  const parsed = parse(cert, key, passphrase)
  // The original can read RSA alone and checks no others; Apple issues no others.
  if (parsed?.certificate.publicKey.asymmetricKeyType !== 'rsa') return
  const { certificate, privateKey } = parsed
  if (!certificate.checkPrivateKey(privateKey)) throw new Error('certificate and key do not match')
  const { notAfter, extensions } = readCertificate(certificate.raw)
  if (notAfter < now) throw new Error(`certificate has expired: ${new Date(notAfter).toJSON()}`)
  if (!extensions.has(pushCertificateOid[environment])) {
    const isProduction = environment === 'production'
    throw new Error(`certificate does not support configured environment, production: ${isProduction}`)
  }
}

const parse = (cert: Material, key: Material, passphrase: string | undefined) => {
  try {
    return {
      certificate: new X509Certificate(cert),
      privateKey: createPrivateKey({ key, ...(passphrase === undefined ? {} : { passphrase }) }),
    }
  } catch {
    // Neither PEM nor a key: the client's own check says so.
    return undefined
  }
}
