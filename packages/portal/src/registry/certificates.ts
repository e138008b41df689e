import type { KeyObject } from 'node:crypto'
import { readPushCertificate } from '@carillon/wire'
import { issue } from '../authority/authority.ts'
import { PortalError } from '../errors.ts'
import { limits } from '../limits.ts'
import {
  type Certificate,
  type CertificateOperations,
  type CertificateRequest,
  type IssuedCertificate,
  pushCertificateKinds,
} from '../operations.ts'
import { readCsr } from '../pki/csr.ts'
import { pushLayout } from '../pki/issuance.ts'
import { makeKey, privateKeyDer, privateKeyPem, publicKeyDer } from '../pki/key.ts'
import { encodePem } from '../pki/pem.ts'
import { encodePkcs12 } from '../pki/pkcs12.ts'
import { findApp } from './apps.ts'
import { checkRoom, checkWord, requestInvalid } from './checks.ts'
import type { CertificateRecord, RegistryContext } from './context.ts'

/** Push certificates. */
export function certificateOperations(context: RegistryContext): CertificateOperations {
  const { database, memory, now } = context
  const insert = database.prepare(
    'INSERT INTO certificates (serial, bundle_id, kind, not_before, not_after, der) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const revoke = database.prepare(
    'UPDATE certificates SET revoked_at = ? WHERE serial = ? AND revoked_at IS NULL',
  )

  return {
    async create(request) {
      checkRequest(context, request)
      const { bundleId, kind } = request
      const key = request.csrPem === undefined ? await makeKey(request.keyType ?? 'p256') : undefined
      const publicKey = key === undefined ? readCsr(request.csrPem ?? '') : publicKeyDer(key)
      const der = issue(pushLayout(kind, bundleId, context), publicKey, context.authority.issuing, context)
      const { serial, notBefore, notAfter } = readPushCertificate(der)
      const record: CertificateRecord = { serial, bundleId, kind, notBefore, notAfter, revokedAt: null, der }
      const files = key === undefined ? {} : await keyFiles(context, record, key, request.p12Password)
      // Last of all: a certificate that nobody got is not in the registry, one that is in it was complete.
      await database.run(insert, [serial, bundleId, kind, notBefore, notAfter, der])
      memory.certificates.set(serial, record)
      context.changed({ type: 'certificate', serial, status: 'active' })
      return issued(context, record, files)
    },

    async list() {
      return [...memory.certificates.values()]
        .sort((a, b) => b.notBefore - a.notBefore || (a.serial < b.serial ? -1 : 1))
        .map((record) => describe(record, now()))
    },

    async get(serial) {
      return describe(find(context, serial), now())
    },

    async revoke(serial) {
      const record = find(context, serial)
      if (record.revokedAt !== null) return describe(record, now())
      const revokedAt = now()
      const changes = await database.run(revoke, [revokedAt, record.serial])
      // Another one was quicker: its time is on disk.
      if (changes === 0) return describe(find(context, serial), now())
      const revoked = { ...record, revokedAt }
      memory.certificates.set(record.serial, revoked)
      context.changed({ type: 'certificate', serial: record.serial, status: 'revoked' })
      return describe(revoked, now())
    },
  }
}

/** The state of a push certificate at a moment. */
export function certificateStatus(record: CertificateRecord, at: number): Certificate['status'] {
  if (record.revokedAt !== null) return 'revoked'
  return at > record.notAfter ? 'expired' : 'active'
}

function checkRequest(context: RegistryContext, request: CertificateRequest): void {
  checkWord(pushCertificateKinds, request.kind, 'kind of push certificate')
  checkWord(['rsa', 'p256'], request.keyType, 'key type')
  const app = findApp(context, request.bundleId)
  if (!app.push) {
    throw new PortalError(
      'APP_PUSH_OFF',
      `The App ID "${app.bundleId}" does not have the push capability.`,
      'Switch push on for the App ID, or use another one.',
    )
  }
  if (request.csrPem !== undefined && (request.keyType !== undefined || request.p12Password !== undefined)) {
    throw requestInvalid(
      'A certificate for a signing request has no key of the portal, so no key type and no .p12 can be chosen.',
      'Leave out either the request, or the key type and the password.',
    )
  }
  if (request.p12Password !== undefined && !/^[\x20-\x7e]{1,128}$/.test(request.p12Password)) {
    throw requestInvalid(
      'The password of a .p12 file has 1 to 128 printable ASCII characters.',
      'Choose another password: other characters are read differently by different programs.',
    )
  }
  checkRoom(
    context.memory.certificates.size,
    limits.certificatesMax,
    'CERTIFICATE_LIMIT',
    'push certificates',
  )
}

async function keyFiles(
  { authority, random }: RegistryContext,
  record: CertificateRecord,
  key: KeyObject,
  password: string | undefined,
): Promise<Pick<IssuedCertificate, 'keyPem' | 'p12' | 'p12Password'>> {
  const p12Password = password ?? Buffer.from(random(16)).toString('base64url')
  const p12 = await encodePkcs12({
    friendlyName: `Push Services: ${record.bundleId}`,
    privateKey: privateKeyDer(key),
    certificate: record.der,
    chain: [authority.issuing.certificate, authority.rootDer],
    password: p12Password,
  })
  return { keyPem: privateKeyPem(key), p12, p12Password }
}

function issued(
  { authority, now }: RegistryContext,
  record: CertificateRecord,
  files: Pick<IssuedCertificate, 'keyPem' | 'p12' | 'p12Password'>,
): IssuedCertificate {
  const chainPem = authority.issuing.certificatePem + encodePem('CERTIFICATE', authority.rootDer)
  return { ...describe(record, now()), chainPem, cerDer: record.der, ...files }
}

function describe(record: CertificateRecord, at: number): Certificate {
  const { serial, bundleId, kind, notBefore, notAfter, revokedAt, der } = record
  return {
    serial,
    bundleId,
    kind,
    status: certificateStatus(record, at),
    notBefore,
    notAfter,
    ...(revokedAt === null ? {} : { revokedAt }),
    certPem: encodePem('CERTIFICATE', der),
  }
}

function find({ memory }: RegistryContext, serial: string): CertificateRecord {
  const record = memory.certificates.get(serial.toLowerCase())
  if (record !== undefined) return record
  throw new PortalError(
    'CERTIFICATE_UNKNOWN',
    `This portal has no push certificate with the serial number "${serial}".`,
    'List them: carillon portal cert list',
  )
}
