import { limits } from '../../limits.ts'
import { CourierSession } from '../session.ts'
import type { SessionHost, SessionLink } from '../session-host.ts'
import type { CloseReason } from '../session-limits.ts'
import { WheelEntry } from '../timer-wheel.ts'
import type { CourierTransport } from './transport.ts'
import type { WriteTurn } from './write-turn.ts'

/** What a connection needs of its listener; one object for all of them. */
export interface ConnectionOwner {
  readonly sessions: SessionHost
  readonly turn: WriteTurn
  /** The device has proven who it is. */
  known(connection: CourierConnection): void
  /** Its transport is gone. */
  gone(connection: CourierConnection): void
  /** It wants its `due` sooner than it said. */
  sooner(connection: CourierConnection, delayMs: number): void
}

/** Moves bytes between one transport and its session. Frames of a turn leave in one write. */
export class CourierConnection extends WheelEntry implements SessionLink {
  readonly session: CourierSession
  readonly transport: CourierTransport
  readonly #owner: ConnectionOwner
  /** What waits for the end of the turn: none, one frame, or several. */
  #frame: Uint8Array | undefined
  #more: Uint8Array[] | undefined
  #bytes = 0
  #isInTurn = false
  /** When it was closed by us, by the steady clock; 0 while it is open. */
  #closedAtMs = 0

  /** @param alpn what ALPN or the WebSocket's subprotocol agreed on */
  constructor(transport: CourierTransport, owner: ConnectionOwner, alpn: string | false | null) {
    super()
    this.transport = transport
    this.#owner = owner
    this.session = new CourierSession(owner.sessions, this, alpn)
  }

  received(chunk: Uint8Array): void {
    this.session.receive(chunk, this.#owner.sessions.steadyNow())
  }

  /** The transport's own probe has come, of so many bytes. @returns whether it may be answered */
  probed(bytes: number): boolean {
    if (!this.session.probed(bytes, this.#owner.sessions.steadyNow())) return false
    if (this.transport.writableLength <= limits.courierUnsentBytesMax) return true
    this.session.overwhelmed()
    return false
  }

  write(frame: Uint8Array): void {
    if (this.#closedAtMs > 0) return
    if (this.#frame === undefined) this.#frame = frame
    else if (this.#more === undefined) this.#more = [frame]
    else this.#more.push(frame)
    this.#bytes += frame.length
    if (this.#bytes + this.transport.writableLength > limits.courierUnsentBytesMax) {
      this.session.overwhelmed()
      return
    }
    if (this.#isInTurn) return
    this.#isInTurn = true
    this.#owner.turn.add(this)
  }

  known(): void {
    this.#owner.known(this)
  }

  dueIn(delayMs: number): void {
    this.#owner.sooner(this, delayMs)
  }

  due(steadyMs: number): number {
    if (this.#closedAtMs === 0) return this.session.tick(steadyMs)
    // A peer that does not take the last bytes either would keep a dead socket open for as long as it likes.
    const leftMs = this.#closedAtMs + limits.courierLingerMsMax - steadyMs
    if (leftMs < 0) this.transport.destroy()
    return leftMs
  }

  /** The end of the turn. */
  flush(): void {
    this.#isInTurn = false
    const frame = this.#frame
    if (frame === undefined || this.transport.destroyed) return
    const more = this.#more
    const bytes = this.#bytes
    this.#forget()
    this.transport.write(more === undefined ? frame : Buffer.concat([frame, ...more], bytes))
  }

  close(reason: CloseReason): void {
    if (this.#closedAtMs > 0) return
    this.flush()
    this.#closedAtMs = this.#owner.sessions.steadyNow()
    // A peer that does not read would never let the socket end.
    if (reason === 'does not read' || reason === 'silent') this.transport.destroy()
    else this.transport.destroySoon(reason)
    this.#owner.sooner(this, limits.courierLingerMsMax)
  }

  /** The transport is gone. */
  lost(): void {
    this.#owner.gone(this)
    this.#closedAtMs = this.#owner.sessions.steadyNow()
    this.#forget()
    this.session.closed()
  }

  #forget(): void {
    this.#frame = undefined
    this.#more = undefined
    this.#bytes = 0
  }
}
