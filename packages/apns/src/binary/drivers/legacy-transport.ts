import { connect as connectTcp, isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { LegacyError } from '../legacy-error.ts'
import type { LegacyTarget } from '../legacy-target.ts'

/** What a connection is told by its transport. */
interface LegacyHandler {
  /** The handshake is done. */
  onOpen(): void
  onBytes(bytes: Uint8Array): void
  /** The service has ended its side: nothing more comes. */
  onEnd(): void
  /** Nothing goes either way any more; the last call. */
  onClose(error: Error | undefined): void
}

/** One TLS connection of the original protocol. */
export interface LegacyTransport {
  /** Calls back when the system has taken the bytes, never if it does not. */
  write(bytes: Uint8Array, onTaken: () => void): void
  /** Ends our side in good order: whatever the service sent was taken. */
  end(): void
  /** Breaks the connection, so that the service sees that it was broken. */
  abort(): void
  /** While paused no bytes are read, and the service has to wait. */
  pause(): void
  resume(): void
  /** Whether it keeps the process alive. */
  ref(): void
  unref(): void
}

export type OpenLegacyTransport = (target: LegacyTarget, handler: LegacyHandler) => LegacyTransport

/** Connects over TCP and TLS; the host name is looked up anew each time. */
export const openLegacyTransport: OpenLegacyTransport = (target, handler) => {
  const { host, port, serverName, secureContext, connectMsMax, silentMsMax } = target
  // The socket below TLS is ours, because only it can be reset. It does not end by itself when the service ends:
  // when we end tells the service that we took everything.
  const tcp = connectTcp({ host, port, noDelay: true, allowHalfOpen: true })
  // RFC 6066 §3: an address is never sent as a server name; Node then checks the certificate against `host`.
  const name = isIP(serverName) === 0 ? { servername: serverName } : {}
  const socket = connectTls({ socket: tcp, host, secureContext, ...name })
  let error: Error | undefined
  const timer = setTimeout(() => {
    socket.destroy(new Error(`no TLS connection to ${host}:${port} within ${connectMsMax} ms`))
  }, connectMsMax)
  socket.once('secureConnect', () => {
    clearTimeout(timer)
    if (silentMsMax !== undefined) socket.setTimeout(silentMsMax)
    handler.onOpen()
  })
  socket.on('data', (bytes: Buffer) => handler.onBytes(bytes))
  socket.once('end', () => {
    socket.setTimeout(0)
    handler.onEnd()
  })
  socket.on('timeout', () => {
    // While we do not read, the silence is ours.
    if (socket.isPaused()) socket.setTimeout(silentMsMax ?? 0)
    else socket.destroy(silenceOf(target))
  })
  socket.on('error', (cause: Error) => {
    error ??= cause
  })
  // Where the name is not found or nobody listens, it is the socket below that says so.
  tcp.on('error', (cause: Error) => {
    error ??= cause
    socket.destroy()
  })
  socket.once('close', () => {
    clearTimeout(timer)
    handler.onClose(error)
  })
  return {
    write: (bytes, onTaken) => {
      socket.write(bytes, (failure) => {
        if (!failure) onTaken()
      })
    },
    end: () => void socket.end(),
    abort: () => {
      tcp.resetAndDestroy()
      socket.destroy()
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    ref: () => void tcp.ref(),
    unref: () => void tcp.unref(),
  }
}

const silenceOf = ({ host, port, silentMsMax }: LegacyTarget): LegacyError =>
  new LegacyError('CUT_OFF', `${host}:${port} has said nothing for ${silentMsMax} ms. Try again later.`)
