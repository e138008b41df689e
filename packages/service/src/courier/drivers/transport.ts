import type { CloseReason } from '../session-limits.ts'

/** What a connection writes to: the TLS socket itself, or a WebSocket. */
export interface CourierTransport {
  readonly destroyed: boolean
  /** Bytes written that have not left the process. */
  readonly writableLength: number
  /** Whole frames; the memory is not written to afterwards. */
  write(bytes: Uint8Array): unknown
  /** Sends what was written, then closes; says why where the transport can. */
  destroySoon(reason: CloseReason): void
  destroy(): void
}
