import type { Duplex } from 'node:stream'
import { limits } from '../../limits.ts'
import type { ActiveRule } from '../active-rule.ts'
import { delayOf } from '../delay.ts'
import type { Faults } from '../faults.ts'
import { later } from './later.ts'

type Done = (error?: Error | null) => void

/** What a stream asks of those who implement it (node:stream, "API for stream implementers"). */
interface Implementation {
  push(chunk: Buffer | null, encoding?: BufferEncoding): boolean
  _read(size: number): void
  _write(chunk: Buffer | string, encoding: BufferEncoding, done: Done): void
  _writev: unknown
}

const troubles = new WeakMap<Duplex, SocketTrouble>()

/** Does to a socket what a rule says that it has met. Faults that concern anything else change nothing here. */
export function troubleSocket(socket: Duplex, faults: Faults, met: ActiveRule): void {
  const { fault } = met.rule
  switch (fault.kind) {
    case 'close':
      socket.destroy()
      break
    case 'halfOpen':
      troubleOf(socket, faults).halfOpen()
      break
    case 'slowReader':
      troubleOf(socket, faults).slowReader(fault.bytesPerSecond)
      break
    case 'slowWriter':
      troubleOf(socket, faults).slowWriter(fault.bytesPerSecond)
      break
    case 'latency':
      troubleOf(socket, faults).late(() => delayOf(fault, met))
  }
}

/** The trouble of a socket, which has none until it is told to have some. */
export function troubleOf(socket: Duplex, faults: Faults): SocketTrouble {
  let trouble = troubles.get(socket)
  if (trouble === undefined) {
    trouble = new SocketTrouble(socket, faults)
    troubles.set(socket, trouble)
  }
  return trouble
}

/** Pieces of a slow transfer leave in steps of this length. */
const stepMs = 50

/**
 * Makes one socket slow or dumb, below whoever uses it and above TLS: what comes in is held back before the stream
 * hands it out, what goes out before the system gets it. Back-pressure works as with a real slow peer.
 */
export class SocketTrouble {
  readonly #socket: Duplex
  readonly #original: Implementation
  #isHalfOpen = false
  /** Bytes a second; 0: as fast as it goes. */
  #readRate = 0
  #writeRate = 0
  #delayMs: (() => number) | undefined
  readonly #held: (Buffer | null)[] = []
  #isFeeding = false

  constructor(socket: Duplex, faults: Faults) {
    this.#socket = socket
    const own = socket as unknown as Implementation
    this.#original = {
      push: own.push.bind(own),
      _read: own._read.bind(own),
      _write: own._write.bind(own),
      _writev: undefined,
    }
    own.push = (chunk) => this.#arrived(chunk)
    own._read = (size) => {
      if (!this.#isHalfOpen && this.#held.length === 0) this.#original._read(size)
    }
    own._write = (chunk, encoding, done) =>
      this.#leaves(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk, encoding, done)
    // Without it, what is gathered is written piece by piece.
    own._writev = null
    const forget = faults.onClose(() => socket.destroy())
    socket.once('close', forget)
  }

  /** From now on nothing is read or written, and the peer is not told; in the end the connection is cut. */
  halfOpen(): void {
    if (this.#isHalfOpen) return
    this.#isHalfOpen = true
    // Whoever uses it may wait for an answer or an end that never comes.
    const forget = later(limits.faultHalfOpenMsMax, () => this.#socket.destroy())
    this.#socket.once('close', forget)
  }

  slowReader(bytesPerSecond: number): void {
    this.#readRate = bytesPerSecond
  }

  slowWriter(bytesPerSecond: number): void {
    this.#writeRate = bytesPerSecond
  }

  /** Everything that is written leaves later, in its order. */
  late(delayMs: () => number): void {
    this.#delayMs = delayMs
  }

  // False stops the reading, until `_read` asks for more.
  #arrived(chunk: Buffer | null): boolean {
    if (this.#isHalfOpen) return false
    if (this.#readRate === 0 && this.#held.length === 0) return this.#original.push(chunk)
    this.#held.push(chunk)
    this.#feed()
    return false
  }

  #feed(): void {
    if (this.#isFeeding || this.#held.length === 0) return
    this.#isFeeding = true
    const { bytes, ms } = stepOf(this.#readRate)
    later(ms, () => {
      this.#isFeeding = false
      if (this.#isHalfOpen || this.#socket.destroyed) return
      const first = this.#held.shift() ?? null
      if (first !== null && first.length > bytes) this.#held.unshift(first.subarray(bytes))
      // Where nothing is held any more, this asks for more.
      this.#original.push(first === null ? null : first.subarray(0, bytes))
      this.#feed()
    })
  }

  #leaves(chunk: Buffer, encoding: BufferEncoding, done: Done): void {
    const delayMs = this.#delayMs?.() ?? 0
    if (delayMs > 0) later(delayMs, () => this.#write(chunk, encoding, done))
    else this.#write(chunk, encoding, done)
  }

  #write(chunk: Buffer, encoding: BufferEncoding, done: Done): void {
    // As where the peer is gone and nobody knows: the system takes it all the same.
    if (this.#isHalfOpen) return done()
    if (this.#socket.destroyed) return
    if (this.#writeRate === 0) return this.#original._write(chunk, encoding, done)
    const { bytes, ms } = stepOf(this.#writeRate)
    const piece = chunk.subarray(0, bytes)
    this.#original._write(piece, encoding, (error) => {
      if (error || piece.length === chunk.length) later(ms, () => done(error))
      else later(ms, () => this.#write(chunk.subarray(bytes), encoding, done))
    })
  }
}

function stepOf(bytesPerSecond: number): { bytes: number; ms: number } {
  const bytes = Math.max(1, Math.floor((bytesPerSecond * stepMs) / 1000))
  return { bytes, ms: (bytes * 1000) / bytesPerSecond }
}
