import type { Portal } from './operations.ts'

export interface PortalOptions {
  /** The directory that holds the portal's files; made on first use, readable by its owner only. */
  readonly dataDir: string
  /** The team's name, used when the portal is made. */
  readonly teamName?: string
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Random bytes for ids and serial numbers; the system's own when absent. Keys always come from the system. */
  readonly random?: (bytes: number) => Uint8Array
  /** Where the portal can be reached from outside: goes into certificates as the address of the CRL. */
  readonly publicUrl?: string
}

/** Opens the portal in `dataDir`, making the CA, the team and the database on first use. */
export declare function openPortal(options: PortalOptions): Promise<Portal>
