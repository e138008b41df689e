import type { TLSSocket } from 'node:tls'
import { BinaryTrouble } from '../../faults/binary-trouble.ts'
import { limits } from '../../limits.ts'
import type { BinaryGateway } from '../binary-gateway.ts'
import { type BinaryLink, BinarySession } from '../binary-session.ts'
import type { CertificateClient } from '../certificate-client.ts'
import type { PortConnection } from './provider-port.ts'

/** Moves bytes between one socket and its session. */
export class BinaryConnection implements BinaryLink, PortConnection {
  readonly done: Promise<void>
  readonly #socket: TLSSocket
  readonly #session: BinarySession
  readonly #gateway: BinaryGateway
  #finishedAtMs: number | undefined
  #trouble: BinaryTrouble | undefined
  #settle: () => void = () => {}

  constructor(socket: TLSSocket, client: CertificateClient, gateway: BinaryGateway, firstBytes: Buffer) {
    this.#socket = socket
    this.#gateway = gateway
    this.#session = new BinarySession(gateway, client, this)
    // The session may have work to finish when its socket is gone.
    const finished = new Promise<void>((resolve) => (this.#settle = resolve))
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    this.done = Promise.all([finished, closed]).then(() => {})
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      // Read all the same: bytes left unread would turn our end into a reset, and the error packet would be lost.
      if (this.#finishedAtMs === undefined) this.#session.receive(chunk)
    })
    socket.on('end', () => this.#session.peerEnded())
    socket.on('close', () => this.#session.peerEnded())
    if (firstBytes.length > 0) this.#session.receive(firstBytes)
    if (socket.readableEnded) this.#session.peerEnded()
  }

  get trouble(): BinaryTrouble | undefined {
    const { faults } = this.#gateway
    if (faults?.plan !== undefined) this.#trouble ??= new BinaryTrouble(faults, this.#socket)
    return this.#trouble
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  finish(packet: Uint8Array | undefined): void {
    this.#finishedAtMs = this.#gateway.now()
    if (packet === undefined) this.#socket.end()
    else this.#socket.end(packet)
    this.#socket.resume()
    this.#settle()
  }

  tick(nowMs: number): void {
    if (this.#finishedAtMs === undefined) this.#session.tick(nowMs)
    else if (nowMs - this.#finishedAtMs > limits.legacyLingerMsMax) this.#socket.destroy()
  }

  reexamine(): void {
    if (this.#finishedAtMs === undefined) this.#session.reexamine()
  }

  close(): void {
    if (this.#finishedAtMs === undefined) this.#session.drain()
  }
}
