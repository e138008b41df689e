import type { Authority } from './authority.ts'

export interface ListenAddress {
  readonly host: string
  readonly port: number
}

export interface ServiceOptions {
  readonly environment: 'sandbox' | 'production'
  /** Directory of this environment's files; made (0700) where it is absent. */
  readonly dataDir: string
  readonly authority: Authority
  /** Server certificate (with chain) and key of this environment's listeners, PEM. */
  readonly tls: { readonly certPem: string; readonly keyPem: string }
  readonly host: string
  /** 0: chosen by the system. */
  readonly ports: { readonly http2: number; readonly courier: number }
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
}

/** One running environment of the push service. */
export interface PushService {
  readonly environment: 'sandbox' | 'production'
  readonly http2: ListenAddress
  readonly courier: ListenAddress
  /** Drains: GOAWAY to providers, redirect-free close to devices, last commit, files closed. */
  close(): Promise<void>
}

/** Composition root: the only file that knows every folder of this package. */
export type StartService = (options: ServiceOptions) => Promise<PushService>
