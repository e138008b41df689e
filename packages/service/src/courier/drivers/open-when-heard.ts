import { Socket } from 'node:net'
import type { Server } from 'node:tls'
import { limits } from '../../limits.ts'

/**
 * Node gives the reads of a TLS connection a buffer at the first of them and keeps it as long as the connection: of
 * 64 KiB where TLS reads from the network itself, of 1 KiB where what was read before comes to it in smaller pieces than
 * that. An idle device needs no more; whoever says more at once gets a larger one beside it.
 */
const pieceBytes = 1000

/**
 * Hands a connection to the server that does its handshake as soon as its peer has said something, and with these first
 * bytes in pieces: large buffers that come and go are what scatters the memory of a process in storms of reconnects.
 */
export function openWhenHeard(socket: Socket, server: Server): void {
  const opening = socket as OpeningSocket
  opening[serverOf] = server
  opening.on('readable', onReadable)
  // The handshake has as much time of its own, once it has begun.
  opening.on('timeout', onTimeout)
  opening.setTimeout(limits.courierHandshakeMsMax)
}

/** The socket leads to its server without a closure per connection. */
const serverOf = Symbol('server')
type OpeningSocket = Socket & { [serverOf]?: Server | undefined }

function onReadable(this: OpeningSocket): void {
  const server = this[serverOf]
  // It has been handed on: what comes now is read by TLS.
  if (server === undefined) return
  this[serverOf] = undefined
  this.setTimeout(0)
  // The end of the stream is readable, too.
  if (this.readableLength === 0) return void this.destroy()
  this.read = readPiece
  server.emit('connection', this)
}

function onTimeout(this: OpeningSocket): void {
  this.destroy()
}

/** What was read before TLS began, less than all of it at a time. */
function readPiece(this: Socket, size?: number): Buffer | null {
  const piece = size ?? (this.readableLength > pieceBytes ? pieceBytes : undefined)
  return Socket.prototype.read.call(this, piece)
}
