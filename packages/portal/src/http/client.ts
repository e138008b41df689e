import type { PortalOperations } from '../operations.ts'

export interface PortalClientOptions {
  /** `https://host:port` of a running portal. */
  readonly url: string
  /** The root certificate to trust, PEM: no other CA is accepted. */
  readonly caPem: string
  readonly adminKey: string
}

/** Connects to a running portal and gives the same operations as the portal over its directory. */
export declare function openPortalClient(options: PortalClientOptions): Promise<PortalOperations>
