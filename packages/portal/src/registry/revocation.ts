import { issuerOf } from '../authority/authority.ts'
import { signCrl } from '../pki/crl.ts'
import type { RegistryContext } from './context.ts'

const validityMs = 7 * 86_400_000

/**
 * Signs the revocation lists: revoked push certificates for the issuing CA, certificates of disabled devices for
 * the device CA. Certificates that ended on their own are left out (RFC 5280 §3.3). Our own push service does not
 * read these lists: it asks the registry.
 */
export function revocationLists(
  context: RegistryContext,
): (issuer: 'issuing' | 'device') => Promise<Uint8Array> {
  const { authority, now } = context
  const disabledCertificates = context.database.prepare(
    `SELECT c.serial, d.disabled_at FROM device_certificates c JOIN devices d ON d.device_id = c.device_id
      WHERE d.disabled_at IS NOT NULL AND c.not_after > ? ORDER BY c.serial`,
  )

  return async (issuer) => {
    const thisUpdate = now()
    const revoked =
      issuer === 'issuing'
        ? revokedPushCertificates(context, thisUpdate)
        : (await context.database.all(disabledCertificates, [thisUpdate])).map((row) => ({
            serial: String(row.serial),
            at: Number(row.disabled_at),
          }))
    const contents = {
      number: Math.floor(thisUpdate / 1000),
      thisUpdate,
      nextUpdate: thisUpdate + validityMs,
      revoked: revoked.map(({ serial, at }) => ({ serial: Buffer.from(serial, 'hex'), at })),
    }
    return signCrl(contents, issuerOf(authority[issuer]))
  }
}

function revokedPushCertificates({ memory }: RegistryContext, at: number): { serial: string; at: number }[] {
  const revoked: { serial: string; at: number }[] = []
  for (const { serial, revokedAt, notAfter } of memory.certificates.values()) {
    if (revokedAt !== null && notAfter > at) revoked.push({ serial, at: revokedAt })
  }
  return revoked
}
