import type { TLSSocket } from 'node:tls'
import { limits } from '../../limits.ts'
import { CourierSession } from '../session.ts'
import type { SessionHost, SessionLink } from '../session-host.ts'
import type { CloseReason } from '../session-limits.ts'
import type { WriteTurn } from './write-turn.ts'

/** Moves bytes between one socket and its session. Frames of a turn leave in one write. */
export class CourierConnection implements SessionLink {
  readonly session: CourierSession
  readonly #socket: TLSSocket
  readonly #turn: WriteTurn
  readonly #host: SessionHost
  #frames: Uint8Array[] = []
  #bytes = 0
  #isInTurn = false
  #isClosing = false
  #closedAtMs = 0
  readonly #onKnown: () => void

  /** @param onKnown called once, when the device has proven who it is */
  constructor(socket: TLSSocket, host: SessionHost, turn: WriteTurn, onKnown: () => void) {
    this.#socket = socket
    this.#onKnown = onKnown
    this.#turn = turn
    this.#host = host
    this.session = new CourierSession(host, this, host.now())
  }

  received(chunk: Uint8Array): void {
    this.session.receive(chunk, this.#host.now())
  }

  write(frame: Uint8Array): void {
    if (this.#isClosing) return
    this.#frames.push(frame)
    this.#bytes += frame.length
    if (this.#bytes + this.#socket.writableLength > limits.courierUnsentBytesMax) {
      this.session.overwhelmed()
      return
    }
    if (this.#isInTurn) return
    this.#isInTurn = true
    this.#turn.add(this)
  }

  known(): void {
    this.#onKnown()
  }

  /** Once a second or so: dead-lines. */
  tick(nowMs: number): void {
    if (!this.#isClosing) return this.session.tick(nowMs)
    // A peer that does not take the last bytes either would keep a dead socket open for as long as it likes.
    if (nowMs - this.#closedAtMs > limits.courierLingerMsMax) this.#socket.destroy()
  }

  /** The end of the turn. */
  flush(): void {
    this.#isInTurn = false
    const frames = this.#frames
    if (frames.length === 0 || this.#socket.destroyed) return
    this.#frames = []
    const bytes = this.#bytes
    this.#bytes = 0
    this.#socket.write(frames.length === 1 ? frames[0]! : Buffer.concat(frames, bytes))
  }

  close(reason: CloseReason): void {
    if (this.#isClosing) return
    this.flush()
    this.#isClosing = true
    this.#closedAtMs = this.#host.now()
    // A peer that does not read would never let the socket end.
    if (reason === 'does not read' || reason === 'silent') this.#socket.destroy()
    else this.#socket.destroySoon()
  }

  closed(): void {
    this.#isClosing = true
    this.#frames = []
    this.session.closed()
  }
}
