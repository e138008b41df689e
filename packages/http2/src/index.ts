import type { Server, TLSSocket, ConnectionOptions as TlsConnectOptions, TlsOptions } from 'node:tls'
import type { ErrorCode } from './errors.ts'
import type {
  ClientHandler,
  ClientOptions,
  HeaderList,
  PingCallback,
  ServerHandler,
  ServerOptions,
} from './types.ts'

export { type EndKind, type EndReason, ErrorCode, errorCodeName, Http2UsageError } from './errors.ts'
export { DEFAULT_LIMITS, type Limits } from './limits.ts'
export { CLIENT_SETTINGS, type OwnSettings, SERVER_SETTINGS } from './settings.ts'
export type * from './types.ts'

// Declarations only, to write against; the classes follow.
declare class Connection {
  receive(chunk: Uint8Array, now: number): void
  tick(now: number): void
  /** Bytes to write now, or undefined. */
  takeOutput(): Uint8Array | undefined
  transportClosed(cause?: unknown): void
  readonly ended: boolean
  readonly openStreams: number
  ping(callback: PingCallback): void
  /** GOAWAY, finish open streams, close. */
  drain(debugData?: Uint8Array): void
  /** GOAWAY with an error code, close at once. */
  goaway(code: ErrorCode, debugData?: Uint8Array): void
}
export declare class ServerConnection extends Connection {
  constructor(options: ServerOptions, handler: ServerHandler)
  /** False where the stream is gone already. */
  respond(streamId: number, headers: HeaderList, body?: Uint8Array): boolean
  reset(streamId: number, code: ErrorCode): void
  setMaxConcurrentStreams(count: number): void
}
export declare class ClientConnection<C> extends Connection {
  constructor(options: ClientOptions, handler: ClientHandler<C>)
  /** The stream id, or -1 where there is no capacity now (`onCapacity` tells when there is). */
  request(headers: HeaderList, body: Uint8Array | undefined, context: C): number
  readonly availableStreams: number
  /** RST_STREAM(CANCEL): no further call for this request. */
  cancel(streamId: number): void
  close(): void
}

export interface ListenOptions extends TlsOptions {
  host?: string
  port: number
}
export interface Listener {
  readonly host: string
  readonly port: number
  readonly server: Server
  /** Stops accepting, drains every connection, resolves when all have ended. */
  close(debugData?: Uint8Array): Promise<void>
}
/** `accept` is called per TLS connection and makes its connection: `(socket) => new ServerConnection(options, handler)`. */
export declare function listen(
  options: ListenOptions,
  accept: (socket: TLSSocket) => ServerConnection,
): Promise<Listener>
/** Serves one TLS socket that somebody else accepted; `firstBytes` is what was read of it already. */
export declare function serve(socket: TLSSocket, connection: ServerConnection, firstBytes?: Uint8Array): void

export interface ConnectOptions extends TlsConnectOptions {
  host: string
  port: number
}
export interface ClientTransport {
  readonly socket: TLSSocket
  /** Cuts the transport; `onEnd` follows. */
  destroy(): void
}
/** Opens the transport for a connection: ready when the handler's `onCapacity` is called, failed with `onEnd`. */
export declare function connect<C>(options: ConnectOptions, connection: ClientConnection<C>): ClientTransport
