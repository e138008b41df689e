/** What a transport tells. Nothing after `closed`. */
export interface TransportEvents {
  /** It is up. @param alpn the framing that was agreed on; '' for none */
  opened(alpn: string): void
  received(bytes: Uint8Array): void
  /** @param detail why, in words */
  closed(detail: string): void
}

/** The connection under a session: TLS, or a WebSocket. */
export interface Transport {
  /** Takes a whole frame; those of a turn may leave together. */
  write(frame: Uint8Array): void
  /** Sends what was written, then closes our end; `closed` follows. */
  end(): void
  /** Cuts it; `closed` may follow or not. */
  destroy(): void
  /** Stops and starts reading; a transport that cannot, reads on. */
  pause(): void
  resume(): void
}

/** Opens a transport. What goes wrong is told through `closed`, later. */
export type Dial = (events: TransportEvents) => Transport
