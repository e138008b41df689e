import { issuerOf } from '../authority/authority.ts'
import { limits } from '../limits.ts'
import { signCrl } from '../pki/crl.ts'
import { readPages } from '../store/read-pages.ts'
import type { RegistryContext } from './context.ts'

const validityMs = 7 * 86_400_000

type IssuerName = 'issuing' | 'device'

interface Revoked {
  readonly serial: string
  readonly at: number
}

interface KeptList {
  readonly der: Promise<Uint8Array>
  readonly signedAt: number
  /** How many certificates were revoked then; one more asks for a new list. */
  readonly revokedCount: number
  readonly number: number
}

/**
 * Signs the revocation lists: revoked push certificates for the issuing CA, certificates of disabled devices for
 * the device CA. Certificates that ended on their own are left out (RFC 5280 §3.3). Our own push service does not
 * read these lists: it asks the registry.
 *
 * Anybody may ask for a list, so it is signed again only when something was revoked or it has become old.
 */
export function revocationLists(context: RegistryContext): (issuer: IssuerName) => Promise<Uint8Array> {
  const kept = new Map<IssuerName, KeptList>()
  return (issuer) => {
    const at = context.now()
    const revokedCount = countRevoked(context, issuer)
    const last = kept.get(issuer)
    if (last !== undefined && last.revokedCount === revokedCount && isFresh(last, at)) return last.der
    // RFC 5280 §5.2.3: the number rises with every list, even with two in one second.
    const number = Math.max(Math.floor(at / 1000), (last?.number ?? 0) + 1)
    const der = sign(context, issuer, number, at)
    const list: KeptList = { der, signedAt: at, revokedCount, number }
    kept.set(issuer, list)
    der.catch(() => {
      // Whoever asked hears of it; the next one tries again.
      if (kept.get(issuer) === list) kept.delete(issuer)
    })
    return der
  }
}

function isFresh({ signedAt }: KeptList, at: number): boolean {
  return at >= signedAt && at - signedAt < limits.revocationListKeptMs
}

function countRevoked({ memory }: RegistryContext, issuer: IssuerName): number {
  if (issuer === 'device') return memory.disabledCertificates.size
  let count = 0
  for (const { revokedAt } of memory.certificates.values()) if (revokedAt !== null) count++
  return count
}

async function sign(
  context: RegistryContext,
  issuer: IssuerName,
  number: number,
  thisUpdate: number,
): Promise<Uint8Array> {
  const revoked =
    issuer === 'issuing'
      ? revokedPushCertificates(context, thisUpdate)
      : await revokedDeviceCertificates(context, thisUpdate)
  const contents = {
    number,
    thisUpdate,
    nextUpdate: thisUpdate + validityMs,
    revoked: revoked.map(({ serial, at }) => ({ serial: Buffer.from(serial, 'hex'), at })),
  }
  return signCrl(contents, issuerOf(context.authority[issuer]))
}

function revokedPushCertificates({ memory }: RegistryContext, at: number): Revoked[] {
  const revoked: Revoked[] = []
  for (const { serial, revokedAt, notAfter } of memory.certificates.values()) {
    if (revokedAt !== null && notAfter > at) revoked.push({ serial, at: revokedAt })
  }
  return revoked
}

async function revokedDeviceCertificates({ database }: RegistryContext, at: number): Promise<Revoked[]> {
  const rows = await readPages(
    database,
    `SELECT * FROM (SELECT c.serial, c.not_after, d.disabled_at FROM devices d
      JOIN device_certificates c ON c.device_id = d.device_id WHERE d.disabled_at IS NOT NULL) AS disabled`,
    'serial',
  )
  return rows
    .filter((row) => Number(row.not_after) > at)
    .map((row) => ({ serial: String(row.serial), at: Number(row.disabled_at) }))
}
