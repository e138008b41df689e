import { isIP } from 'node:net'
import { readCertificate } from '@carillon/wire'
import { limits } from '../limits.ts'
import type { CertificateAuthorityOperations, ServerCertificateRequest } from '../operations.ts'
import { type IssuanceContext, serverLayout } from '../pki/issuance.ts'
import { makeKey, privateKeyPem, publicKeyDer } from '../pki/key.ts'
import { encodePem } from '../pki/pem.ts'
import { requestInvalid } from '../registry/checks.ts'
import { type Authority, issue } from './authority.ts'

interface Clock {
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
}

/** The public certificates of the authority, and server certificates. */
export function authorityOperations(
  authority: Authority,
  context: IssuanceContext & Clock,
): Omit<CertificateAuthorityOperations, 'revocationList'> {
  const rootPem = encodePem('CERTIFICATE', authority.rootDer)
  const { issuing, device, fingerprint } = authority
  return {
    rootPem,
    chainPem: issuing.certificatePem + rootPem,
    deviceCaPem: device.certificatePem,
    fingerprint,
    async issueServerCertificate(request) {
      const layout = serverLayout(namesOf(request), validityOf(request), context)
      const key = await makeKey('p256')
      const { notBefore } = request
      const dated = notBefore === undefined ? context : { ...context, now: () => notBefore }
      const der = issue(layout, publicKeyDer(key), issuing, dated)
      const { serial, notAfter } = readCertificate(der)
      const certPem = encodePem('CERTIFICATE', der) + issuing.certificatePem
      return { certPem, keyPem: privateKeyPem(key), serial, notAfter }
    },
  }
}

/** The names asked for, then the loopback ones, each once. */
function namesOf({ names = [] }: ServerCertificateRequest): string[] {
  for (const name of names) {
    if (!isAddress(name) && !isDnsName(name)) {
      throw requestInvalid(
        `"${name}" is neither a DNS name nor an IP address.`,
        'Give names such as push.example.com, *.example.com or 192.0.2.1.',
      )
    }
  }
  if (names.length > limits.namesPerServerCertificateMax) {
    throw requestInvalid(
      `A server certificate has at most ${limits.namesPerServerCertificateMax} names, not ${names.length}.`,
      'Use several certificates, or a name with a wildcard.',
    )
  }
  return [...new Set([...names.map((name) => name.toLowerCase()), 'localhost', '127.0.0.1', '::1'])]
}

/** An address without a zone (`%eth0`): a zone means nothing on another machine. */
function isAddress(name: string): boolean {
  return isIP(name) !== 0 && !name.includes('%')
}

function isDnsName(name: string): boolean {
  const label = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?'
  return name.length <= 253 && new RegExp(`^(?:\\*\\.)?${label}(?:\\.${label})*$`, 'i').test(name)
}

function validityOf({ validityDays = 395 }: ServerCertificateRequest): number {
  // 825 days: what TLS clients of Apple's platforms accept from a private CA.
  if (Number.isInteger(validityDays) && validityDays >= 1 && validityDays <= 825) return validityDays
  throw requestInvalid(
    `A server certificate cannot be valid for ${validityDays} days.`,
    'Use a number from 1 to 825.',
  )
}
