import type { Portal } from '../operations.ts'

export interface PortalServerOptions {
  readonly portal: Portal
  /** 127.0.0.1 when absent. */
  readonly host?: string
  /** 0 when absent: the system chooses. */
  readonly port?: number
  /** The bearer key that every operation but `GET /v1/ca` asks for. */
  readonly adminKey: string
  /** A second secret that allows `POST /v1/devices/activation` and nothing else. */
  readonly enrolmentKey?: string
  /** TLS certificate and key, from `portal.ca.issueServerCertificate`. Made by the portal when absent. */
  readonly tls?: { readonly certPem: string; readonly keyPem: string }
}

export interface PortalServer {
  /** `https://127.0.0.1:PORT` */
  readonly url: string
  close(): Promise<void>
}

/** Serves the portal's HTTP API over TLS. */
export declare function startPortalServer(options: PortalServerOptions): Promise<PortalServer>
