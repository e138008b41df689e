import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { limits } from '../../limits.ts'
import type { Admission, Newcomer } from '../admission.ts'
import type { CourierCounters } from '../session-host.ts'

export interface GateOptions {
  readonly host: string
  /** 0: chosen by the system. */
  readonly port: number
  readonly admission: Admission
  readonly counters: CourierCounters
  /** A steady clock. */
  readonly now: () => number
  /** Connections that are open on this port; new ones are closed above the limit. */
  readonly connections: () => number
  /** A connection may begin its handshake. */
  readonly onAdmitted: (socket: Socket) => void
}

/** Connections that the kernel keeps until we accept them; it has a limit of its own. */
const backlog = 4096

/** Knows the connections whose device has not proven who it is, and lets them into their handshakes. */
export class Gate {
  readonly #options: GateOptions
  readonly #server: Server
  /** Those that came first come first. */
  readonly #unproven = new Set<Unproven>()
  /**
   * The same by the address of the peer. A reset connection that waits may still be here when its peer comes again
   * from the same port; what is known of the dead one ends with its own socket.
   */
  readonly #byPeer = new Map<string, Unproven>()
  #isClosed = false

  constructor(options: GateOptions) {
    this.#options = options
    // Read only when the handshake begins: what waits costs a socket and nothing more.
    this.#server = createServer({ pauseOnConnect: true, noDelay: true })
    this.#server.on('connection', (socket) => this.#arrived(socket))
  }

  /** @throws the error of the system where the address cannot be had */
  async listen(): Promise<{ readonly host: string; readonly port: number }> {
    const { host, port } = this.#options
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host, port, backlog }, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
    const address = this.#server.address() as AddressInfo
    return { host: address.address, port: address.port }
  }

  /** The device behind this socket, or behind the TLS around it, has proven who it is. */
  proven(socket: Socket): void {
    const unproven = this.#byPeer.get(peerOf(socket))
    if (unproven !== undefined) this.#forget(unproven)
  }

  /** Takes no more connections. Resolves when all are gone. */
  close(): Promise<void> {
    this.#isClosed = true
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }

  /** Cuts every connection whose device is not known. */
  cutUnproven(): void {
    for (const { socket } of this.#unproven) socket.destroy()
  }

  /**
   * Cuts those that have had their turn for too long: there are states of a connection that nobody else watches, such
   * as TLS without the request that upgrades it.
   */
  tick(nowMs: number): void {
    for (const first of this.#unproven) {
      if (first.admittedAtMs === 0 || nowMs - first.admittedAtMs <= limits.unprovenMsMax) return
      this.#forget(first)
      first.socket.destroy()
    }
  }

  #arrived(socket: Socket): void {
    const { admission, counters, connections } = this.#options
    // What happens before the handshake concerns that peer alone.
    socket.on('error', ignore)
    if (connections() + this.#unproven.size >= limits.courierConnectionsMax) {
      counters.refused++
      socket.resetAndDestroy()
      return
    }
    const nowMs = this.#options.now()
    if (admission.unproven >= admission.unprovenConnectionsMax && !this.#makeRoom(nowMs)) {
      socket.resetAndDestroy()
      return
    }
    const unproven = new Unproven(this, socket, nowMs)
    if (!admission.arrive(unproven)) {
      counters.refused++
      // Nothing was said yet, so nothing can be told; the reset costs the least, and the device waits longer each time.
      socket.resetAndDestroy()
      return
    }
    if (socket.destroyed) return
    admission.unproven++
    this.#unproven.add(unproven)
    this.#byPeer.set(unproven.peer, unproven)
    ;(socket as GateSocket)[unprovenOf] = unproven
    socket.on('close', onClose)
  }

  /** Closes the connection that came first if it has had its time. @returns false where the newcomer has to go */
  #makeRoom(nowMs: number): boolean {
    this.#options.counters.crowdedOut++
    for (const first of this.#unproven) {
      if (nowMs - first.sinceMs < limits.unprovenMsMin) return false
      this.#forget(first)
      first.socket.destroy()
      return true
    }
    return false
  }

  admitted(unproven: Unproven): boolean {
    const { socket } = unproven
    if (this.#isClosed) socket.destroy()
    if (socket.destroyed) return false
    unproven.admittedAtMs = this.#options.now()
    this.#options.onAdmitted(socket)
    return true
  }

  forgetClosed(unproven: Unproven): void {
    if (this.#unproven.has(unproven)) this.#forget(unproven)
  }

  #forget(unproven: Unproven): void {
    this.#unproven.delete(unproven)
    if (this.#byPeer.get(unproven.peer) === unproven) this.#byPeer.delete(unproven.peer)
    this.#options.admission.unproven--
    // Neither `delete` nor `off`: each would turn an object of the socket into a slow and large dictionary.
    ;(unproven.socket as GateSocket)[unprovenOf] = undefined
  }
}

/** A connection that has not proven anything yet. */
class Unproven implements Newcomer {
  readonly socket: Socket
  readonly sinceMs: number
  /** When its turn came; 0 while it waits. */
  admittedAtMs = 0
  readonly peer: string
  readonly gate: Gate

  constructor(gate: Gate, socket: Socket, nowMs: number) {
    this.gate = gate
    this.socket = socket
    this.sinceMs = nowMs
    this.peer = peerOf(socket)
  }

  admit(): boolean {
    return this.gate.admitted(this)
  }
}

/** The socket leads to what is known of it without a closure per connection. */
const unprovenOf = Symbol('unproven')
type GateSocket = Socket & { [unprovenOf]?: Unproven | undefined }

function onClose(this: Socket): void {
  const unproven = (this as GateSocket)[unprovenOf]
  unproven?.gate.forgetClosed(unproven)
}

function ignore(): void {}

/** The same for a socket and for the TLS around it. */
function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`
}
