import { X509Certificate } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import { type Database, openDatabase } from '@carillon/database'
import type { Authority } from './authority.ts'
import { migrations } from './migrations.ts'
import { ServiceError } from './service-error.ts'

/** What can go wrong at the start, each told in one sentence. */

/** Looks at certificates and keys before anything is opened. */
export function checkTls(
  tls: { readonly certPem: string; readonly keyPem: string },
  authority: Authority,
): void {
  try {
    createSecureContext({ cert: tls.certPem, key: tls.keyPem })
  } catch (cause) {
    const message = `The TLS certificate and key of the push service cannot be used (${textOf(cause)}).`
    const fix = 'Give a certificate in PEM and the key that belongs to it.'
    throw new ServiceError('CERTIFICATE_UNUSABLE', message, fix, cause)
  }
  try {
    // OpenSSL skips what it cannot read; then nobody's certificate would be trusted, and nobody would know why.
    for (const pem of [...authority.pushCaPem, ...authority.deviceCaPem]) {
      for (const certificate of pem.split(certificateEnd).slice(0, -1)) {
        new X509Certificate(certificate + certificateEnd)
      }
    }
  } catch (cause) {
    const message = `A CA certificate of the authority cannot be read (${textOf(cause)}).`
    throw new ServiceError('AUTHORITY_UNUSABLE', message, 'Give CA certificates in PEM.', cause)
  }
}

/** Makes the directory where it is absent, opens the environment's database in it and brings its schema up to date. */
export async function openDataDirectory(dataDir: string): Promise<Database> {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    return await openDatabase({ engine: 'sqlite', file: join(dataDir, databaseFile), migrations })
  } catch (cause) {
    const message = `The data directory ${dataDir} cannot be used: ${textOf(cause)}`
    const fix = 'Stop whoever else uses it, and check that it may be written to.'
    throw new ServiceError('DATA_DIRECTORY', message, fix, cause)
  }
}

/** The database of one environment, inside its data directory. */
export const databaseFile = 'push.sqlite'

/** Runs `listen`; an address that cannot be had is told with the option that names it. */
export async function listening<T>(
  option: string,
  host: string,
  port: number,
  listen: () => Promise<T>,
): Promise<T> {
  try {
    return await listen()
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException | undefined)?.code
    if (code === 'EADDRINUSE') {
      const message = `Port ${port} on ${host} is in use by another program.`
      const fix = `Set ${option} to a free port, or to 0 for any.`
      throw new ServiceError('PORT_TAKEN', message, fix, cause)
    }
    if (code !== undefined && ['EACCES', 'EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN'].includes(code)) {
      const message = `Nothing can listen on ${host}, port ${port} (${code}).`
      const fix = `Set host to an address of this machine and ${option} to a port that may be used.`
      throw new ServiceError('ADDRESS_UNUSABLE', message, fix, cause)
    }
    throw cause
  }
}

const certificateEnd = '-----END CERTIFICATE-----'

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
