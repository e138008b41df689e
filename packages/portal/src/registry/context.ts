import type { KeyObject } from 'node:crypto'
import type { Database } from '@carillon/database'
import type { Authority } from '../authority/authority.ts'
import type { App, AuthKey, PortalChange, PushCertificateKind, Team } from '../operations.ts'

/** What every part of the registry works with. */
export interface RegistryContext {
  readonly team: Team
  readonly publicUrl: string
  readonly authority: Authority
  readonly database: Database
  readonly memory: RegistryMemory
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
  /** Tells the listeners; called after the change is on disk and in memory. */
  readonly changed: (change: PortalChange) => void
}

/** The part of the database that the path of a push asks about, always equal to what is on disk. */
export interface RegistryMemory {
  readonly apps: Map<string, App>
  readonly keys: Map<string, AuthKey>
  readonly publicKeys: Map<string, KeyObject>
  readonly certificates: Map<string, CertificateRecord>
  /** Device ids and UDIDs of disabled devices. */
  readonly disabledDevices: Set<string>
  /** Serial numbers of their certificates. */
  readonly disabledCertificates: Set<string>
  /** How many rows there are of what is not held here. */
  readonly counts: { devices: number; profiles: number }
}

export interface CertificateRecord {
  readonly serial: string
  readonly bundleId: string
  readonly kind: PushCertificateKind
  readonly notBefore: number
  readonly notAfter: number
  readonly revokedAt: number | null
  readonly der: Uint8Array
}
