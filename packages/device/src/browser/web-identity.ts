import { readDeviceCertificate } from '@carillon/wire'
import type { DeviceIdentity } from '../session/identity.ts'

/** A private key of WebCrypto. */
export type SigningKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const

/**
 * Who a device in a browser is.
 *
 * @param certificatePem the device certificate and its issuers, as the portal's activation answers them
 * @param key ECDSA P-256: a private key of WebCrypto, or PKCS#8 in PEM
 * @throws WireError `certificate-invalid` where the first certificate is no device certificate
 */
export async function webIdentity(certificatePem: string, key: SigningKey | string): Promise<DeviceIdentity> {
  const certificates = blocksOf(certificatePem, 'CERTIFICATE')
  const { udid } = readDeviceCertificate(certificates[0] ?? new Uint8Array())
  const privateKey = typeof key === 'string' ? await importedKey(key) : key
  return {
    udid,
    certificates,
    async sign(bytes) {
      const raw = await crypto.subtle.sign(
        { ...algorithm, hash: 'SHA-256' },
        privateKey,
        new Uint8Array(bytes),
      )
      return derSignature(new Uint8Array(raw))
    },
  }
}

function importedKey(pem: string): Promise<SigningKey> {
  const [pkcs8] = blocksOf(pem, 'PRIVATE KEY')
  if (pkcs8 === undefined) throw new TypeError('The private key is no PKCS#8 in PEM ("BEGIN PRIVATE KEY").')
  return crypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign'])
}

function blocksOf(pem: string, label: string): Uint8Array<ArrayBuffer>[] {
  const form = new RegExp(`-----BEGIN ${label}-----([^-]+)-----END ${label}-----`, 'g')
  return [...pem.matchAll(form)].map(([, base64 = '']) =>
    Uint8Array.from(atob(base64.replace(/\s/g, '')), (character) => character.charCodeAt(0)),
  )
}

/** WebCrypto gives r and s of 32 bytes each; the protocol wants SEQUENCE { INTEGER r, INTEGER s } (RFC 3279 §2.2.3). */
function derSignature(raw: Uint8Array): Uint8Array {
  const body = [...derInteger(raw.subarray(0, 32)), ...derInteger(raw.subarray(32, 64))]
  return Uint8Array.of(0x30, body.length, ...body)
}

function derInteger(bytes: Uint8Array): number[] {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start++
  const magnitude = [...bytes.subarray(start)]
  // Without it the number would be below zero.
  if (magnitude[0]! >= 0x80) magnitude.unshift(0)
  return [0x02, magnitude.length, ...magnitude]
}
