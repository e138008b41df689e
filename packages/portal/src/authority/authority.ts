import { createHash, type KeyObject, X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { readCertificate } from '@carillon/wire'
import { PortalError } from '../errors.ts'
import { toDer } from '../pki/asn1.ts'
import { type Issuer, signCertificate } from '../pki/certificate.ts'
import {
  type AuthorityName,
  authorityLayout,
  type CertificateLayout,
  type IssuanceContext,
  profileSignerLayout,
} from '../pki/issuance.ts'
import { makeKey, privateKeyPem, publicKeyDer, readPrivateKey } from '../pki/key.ts'
import { encodeName } from '../pki/name.ts'
import { decodePem, encodePem } from '../pki/pem.ts'
import { makeDirectory, readText, writeOnce } from './files.ts'

/*
 * Files, below the data directory:
 *
 *   ca/root/root.key.pem     opened only to sign the issuing CA and the device CA; may be taken off the machine
 *   ca/root.cert.pem         what clients trust
 *   ca/issuing.key.pem, .cert.pem            push and server certificates, the profile signer
 *   ca/device.key.pem, .cert.pem             device certificates
 *   ca/profile-signer.key.pem, .cert.pem     signs provisioning profiles
 *
 * Each key is written before the certificate over it. A process that dies between the two leaves a key without
 * a certificate, and the next start goes on with it.
 */

export interface Authority {
  readonly rootDer: Uint8Array
  readonly issuing: CertifiedKey
  readonly device: CertifiedKey
  readonly profileSigner: CertifiedKey
  /** SHA-256 of the root certificate: `AA:BB:…`. */
  readonly fingerprint: string
}

export interface CertifiedKey {
  /** DER. */
  readonly certificate: Uint8Array
  readonly certificatePem: string
  readonly key: KeyObject
}

export interface AuthorityOptions extends IssuanceContext {
  readonly dataDir: string
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
}

export const rootCertificateFile = join('ca', 'root.cert.pem')

/** Reads the certificate authority of a data directory and makes what is missing of it. */
export async function openAuthority(options: AuthorityOptions): Promise<Authority> {
  await makeDirectory(join(options.dataDir, 'ca', 'root'))
  const root = await openRoot(options)
  const [issuing, device] = [
    await openIntermediate('issuing', root, options),
    await openIntermediate('device', root, options),
  ]
  const signerPath = join(options.dataDir, 'ca', 'profile-signer')
  const profileSigner = await openKeyFor(signerPath, options)
  const fingerprint = createHash('sha256').update(root.certificate).digest('hex').toUpperCase()
  return {
    rootDer: root.certificate,
    issuing,
    device,
    profileSigner: await openCertificate(signerPath, profileSigner, issuing.certificate, options, () =>
      issue(profileSignerLayout(options), publicKeyDer(profileSigner), issuing, options),
    ),
    fingerprint: fingerprint.match(/../g)!.join(':'),
  }
}

/** Signs a certificate of a layout with one of the authority's keys; DER. */
export function issue(
  layout: CertificateLayout,
  publicKey: Uint8Array,
  issuer: CertifiedKey,
  options: Pick<AuthorityOptions, 'now' | 'random'>,
): Uint8Array {
  const notBefore = options.now()
  const issuerEnd = readCertificate(issuer.certificate).notAfter
  if (issuerEnd <= notBefore) {
    throw new PortalError(
      'CA_BROKEN',
      `The certificate authority ended at ${new Date(issuerEnd).toISOString()}.`,
      'Start with an empty data directory, or check the clock of this machine.',
    )
  }
  return signCertificate(
    {
      serial: makeSerial(options.random),
      subject: layout.subject,
      publicKey,
      notBefore,
      // A certificate that outlives its issuer would be refused from that day on anyway.
      notAfter: Math.min(notBefore + layout.validityDays * dayMs, issuerEnd),
      extensions: layout.extensions,
    },
    issuerOf(issuer),
  )
}

/** Name and key of a CA, for signing. */
export function issuerOf({ certificate, key }: CertifiedKey): Issuer {
  // The subject is copied from the certificate, so that the chain holds even if the team is renamed.
  return { name: readCertificate(certificate).subjectDer, key }
}

const dayMs = 86_400_000

type Random = Pick<AuthorityOptions, 'random'>

interface Root {
  readonly certificate: Uint8Array
  /** Reads the root key from its file: only called where a CA below it has to be made. */
  openKey(): Promise<KeyObject>
}

async function openRoot(options: AuthorityOptions): Promise<Root> {
  const path = join(options.dataDir, 'ca', 'root')
  const keyPath = join(path, 'root')
  const existing = await readCertificateFile(path)
  if (existing !== undefined) {
    return { certificate: existing, openKey: () => openKey(keyPath, false, options) }
  }
  // Below an existing CA a new root key would be of no use: then the key is asked for, not made.
  const issuing = await readCertificateFile(join(options.dataDir, 'ca', 'issuing'))
  const key = await openKey(keyPath, issuing === undefined, options)
  const layout = authorityLayout('root', options)
  const { certificate } = await openCertificate(path, key, undefined, options, () => {
    const notBefore = options.now()
    return signCertificate(
      {
        serial: makeSerial(options.random),
        subject: layout.subject,
        publicKey: publicKeyDer(key),
        notBefore,
        notAfter: notBefore + layout.validityDays * dayMs,
        extensions: layout.extensions,
      },
      { name: toDer(encodeName(layout.subject)), key },
    )
  })
  return { certificate, openKey: async () => key }
}

async function openIntermediate(
  name: Exclude<AuthorityName, 'root'>,
  root: Root,
  options: AuthorityOptions,
): Promise<CertifiedKey> {
  const path = join(options.dataDir, 'ca', name)
  const key = await openKeyFor(path, options)
  return openCertificate(path, key, root.certificate, options, async () => {
    const rootKey = await root.openKey()
    const issuer: CertifiedKey = { certificate: root.certificate, certificatePem: '', key: rootKey }
    return issue(authorityLayout(name, options), publicKeyDer(key), issuer, options)
  })
}

/** The key below a certificate; a new one where there is no certificate yet. */
async function openKeyFor(path: string, random: Random): Promise<KeyObject> {
  return openKey(path, (await readText(certificatePath(path))) === undefined, random)
}

/** The key of a file; a new one where there is none and `make` allows it. */
async function openKey(path: string, make: boolean, { random }: Random): Promise<KeyObject> {
  const file = `${path}.key.pem`
  let pem = await readText(file)
  if (pem === undefined) {
    if (!make) throw broken(file, 'is missing')
    const key = await makeKey('p256')
    pem = await writeOnce(file, privateKeyPem(key), { secret: true, random })
  }
  try {
    return readPrivateKey(pem)
  } catch (cause) {
    throw broken(file, 'is not a private key in PEM', cause)
  }
}

/** The certificate of a file, checked against its key and its issuer; made where there is none. */
async function openCertificate(
  path: string,
  key: KeyObject,
  issuer: Uint8Array | undefined,
  { random }: Random,
  make: () => Uint8Array | Promise<Uint8Array>,
): Promise<CertifiedKey> {
  let certificate = await readCertificateFile(path)
  if (certificate === undefined) {
    const pem = encodePem('CERTIFICATE', await make())
    await writeOnce(certificatePath(path), pem, { secret: false, random })
    certificate = (await readCertificateFile(path)) ?? decodePem(pem, 'CERTIFICATE')!
  }
  const x509 = new X509Certificate(certificate)
  if (!x509.checkPrivateKey(key)) {
    throw broken(certificatePath(path), `does not belong to the key in ${path}.key.pem`)
  }
  if (issuer !== undefined && !x509.verify(new X509Certificate(issuer).publicKey)) {
    throw broken(certificatePath(path), 'was not signed by the CA above it')
  }
  return { certificate, certificatePem: encodePem('CERTIFICATE', certificate), key }
}

async function readCertificateFile(path: string): Promise<Uint8Array | undefined> {
  const pem = await readText(certificatePath(path))
  if (pem === undefined) return undefined
  const der = decodePem(pem, 'CERTIFICATE')
  if (der === undefined) throw broken(certificatePath(path), 'is not a certificate in PEM')
  try {
    return new Uint8Array(new X509Certificate(der).raw)
  } catch (cause) {
    throw broken(certificatePath(path), 'holds a certificate that cannot be read', cause)
  }
}

function certificatePath(path: string): string {
  return `${path}.cert.pem`
}

/** 63 random bits in exactly 8 bytes, positive. */
function makeSerial(random: (bytes: number) => Uint8Array): Uint8Array {
  const serial = Uint8Array.from(random(8))
  serial[0] = serial[0]! & 0x7f || 1
  return serial
}

function broken(file: string, what: string, cause?: unknown): PortalError {
  return new PortalError(
    'CA_BROKEN',
    `The certificate authority cannot be opened: ${file} ${what}.`,
    'Restore the ca directory from a backup. Without one, start with an empty data directory: everything issued so far becomes worthless.',
    cause,
  )
}
