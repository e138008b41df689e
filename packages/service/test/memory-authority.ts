import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { AppSettings, AuthKey, Authority, AuthorityChange } from '../src/authority.ts'

export const teamId = 'TEAM000001'
export const keyId = 'KEY0000001'
export const bundleId = 'com.example.shop'

/** An authority whose tables a test fills and changes. */
export class MemoryAuthority implements Authority {
  readonly appTable = new Map<string, AppSettings>()
  readonly keyTable = new Map<string, AuthKey>()
  readonly certificates = new Map<string, 'good' | 'revoked'>()
  readonly pushCaPem: string[] = []
  readonly deviceCaPem: string[] = []
  readonly listeners = new Set<(change: AuthorityChange) => void>()

  app(bundleId: string): AppSettings | undefined {
    return this.appTable.get(bundleId)
  }

  apps(): readonly AppSettings[] {
    return [...this.appTable.values()].filter((app) => app.pushEnabled)
  }

  authKey(keyId: string): AuthKey | undefined {
    return this.keyTable.get(keyId)
  }

  certificateStatus(serial: string): 'good' | 'revoked' | 'unknown' {
    return this.certificates.get(serial) ?? 'unknown'
  }

  onChange(listener: (change: AuthorityChange) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  setApp(bundleId: string, settings: Partial<AppSettings> = {}): void {
    this.appTable.set(bundleId, {
      bundleId,
      teamId,
      pushEnabled: true,
      inboxMax: 1,
      broadcastEnabled: true,
      ...settings,
    })
    this.#tell({ kind: 'app', bundleId })
  }

  setKey(keyId: string, publicKey: KeyObject, settings: Partial<AuthKey> = {}): void {
    const key: AuthKey = { keyId, teamId, publicKey, environment: 'all', topics: 'all', revoked: false }
    this.keyTable.set(keyId, { ...key, ...settings })
    this.#tell({ kind: 'authKey', keyId })
  }

  setCertificate(serial: string, status: 'good' | 'revoked'): void {
    this.certificates.set(serial, status)
    this.#tell({ kind: 'certificate', serial })
  }

  #tell(change: AuthorityChange): void {
    for (const listener of this.listeners) listener(change)
  }
}

export function newKey(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

export interface TokenParts {
  readonly header?: Record<string, unknown>
  readonly claims?: Record<string, unknown>
  readonly encoding?: 'ieee-p1363' | 'der'
}

/** A provider token as a back end makes it; `parts` replace or add fields (undefined takes one out). */
export function signToken(privateKey: KeyObject, issuedAtSeconds: number, parts: TokenParts = {}): string {
  const header = { alg: 'ES256', kid: keyId, ...parts.header }
  const claims = { iss: teamId, iat: issuedAtSeconds, ...parts.claims }
  const signed = `${base64Url(JSON.stringify(header))}.${base64Url(JSON.stringify(claims))}`
  const dsaEncoding = parts.encoding ?? 'ieee-p1363'
  return `${signed}.${sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding }).toString('base64url')}`
}

export function base64Url(text: string): string {
  return Buffer.from(text).toString('base64url')
}
