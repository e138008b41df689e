import { createPrivateKey, generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto'
import { readDeviceCertificate } from '@carillon/wire'
import { type Sequence, Utf8String } from 'asn1js'
import { AttributeTypeAndValue, CertificationRequest } from 'pkijs'
import { DeviceError } from '../device-error.ts'
import type { DeviceIdentity } from '../session/identity.ts'
import { type DeviceFiles, readIfThere, readSecretIfThere, replaceFile } from './device-files.ts'

/** The device's key, made on first use and never leaving its directory. */
export async function deviceKeyIn(files: DeviceFiles): Promise<KeyObject> {
  const pem = await readSecretIfThere(files.key)
  if (pem !== undefined) {
    try {
      return createPrivateKey(pem)
    } catch (cause) {
      throw damaged(files.key, cause)
    }
  }
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  await replaceFile(files.key, privateKey.export({ type: 'pkcs8', format: 'pem' }) as string)
  return privateKey
}

/** The identity that a device was given. */
export interface KeptIdentity extends DeviceIdentity {
  readonly expiresAtMs: number
}

/** The device's identity, or undefined until it was activated. */
export async function deviceIdentityIn(
  files: DeviceFiles,
  key: KeyObject,
): Promise<KeptIdentity | undefined> {
  const pem = await readIfThere(files.certificate)
  if (pem === undefined) return undefined
  try {
    const chain = (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(
      (one) => new X509Certificate(one),
    )
    if (!chain[0]?.checkPrivateKey(key)) throw new Error('it is for another key')
    const certificates = chain.map((one) => new Uint8Array(one.raw))
    const { udid, notAfter } = readDeviceCertificate(certificates[0] ?? new Uint8Array())
    const signed = (bytes: Uint8Array) => new Uint8Array(sign('sha256', bytes, key))
    return { udid, certificates, sign: signed, expiresAtMs: notAfter }
  } catch (cause) {
    throw damaged(files.certificate, cause)
  }
}

/** A PKCS#10 request (RFC 2986) for the device's key, in PEM. The portal writes the subject itself. */
export async function createSigningRequest(key: KeyObject, name: string): Promise<string> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const
  const jwk = key.export({ format: 'jwk' })
  const { d: _, ...publicJwk } = jwk
  const privateKey = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['sign'])
  const publicKey = await crypto.subtle.importKey('jwk', publicJwk, algorithm, true, ['verify'])
  const request = new CertificationRequest({ version: 0 })
  request.subject.typesAndValues.push(
    new AttributeTypeAndValue({ type: '2.5.4.3', value: new Utf8String({ value: name }) }),
  )
  request.attributes = []
  await request.subjectPublicKeyInfo.importKey(publicKey)
  await request.sign(privateKey, 'SHA-256')
  const der = Buffer.from((request.toSchema(true) as Sequence).toBER())
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`
}

function damaged(file: string, cause: unknown): DeviceError {
  return new DeviceError(
    'STATE_UNREADABLE',
    `The device's ${file} is damaged.`,
    'Restore it from a copy, or start with an empty --state directory: the device is then activated anew.',
    cause,
  )
}
