import { ConnectionFrames } from './connection-frames.ts'
import { ConnectionError, type EndReason, ErrorCode } from './errors.ts'
import { FrameReader } from './frame-reader.ts'
import { writeGoaway, writePing } from './frames.ts'
import type { Limits } from './limits.ts'
import type { OwnSettings } from './settings.ts'
import { EMPTY_BODY } from './stream.ts'
import type { CommonOptions, PingCallback } from './types.ts'

/**
 * What both ends of an HTTP/2 connection have in common (RFC 9113), as a state machine without I/O: bytes and
 * the time come in by `receive` and `tick`, bytes for the peer are fetched by `takeOutput`.
 */
export abstract class Connection<C> extends ConnectionFrames<C> {
  /** Set by the driver; called when there is output, once until it is taken. */
  onOutput: () => void = () => {}
  /** The connection ended because the peer takes no bytes: nothing more can be sent, cut the transport. */
  abandoned = false

  protected draining = false
  /** Bytes that the driver has taken and the socket still holds. */
  protected backlog = 0

  readonly #debugData: CommonOptions['debugData']
  readonly #reader: FrameReader
  #announced = true
  #drainDebug: Uint8Array | undefined

  protected constructor(
    isServer: boolean,
    options: CommonOptions,
    settings: OwnSettings,
    limits: Readonly<Limits>,
  ) {
    super(isServer, options, settings, limits)
    this.#debugData = options.debugData
    this.#reader = new FrameReader(this, this.own.maxFrameSize, isServer)
  }

  // ---- For the driver -------------------------------------------------------------------------------------

  /** Takes bytes from the peer. Never throws, whatever they are. `now`: milliseconds of any steady clock. */
  receive(chunk: Uint8Array, now: number): void {
    if (this.ended) return
    this.#clock(now)
    this.deadlines.lastFrameAt = now
    try {
      this.#reader.feed(
        Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength),
      )
      this.onReceived()
    } catch (error) {
      this.#fail(error)
    }
    if (this.out.length > 0) this.announce()
  }

  /** Looks after all time limits; call it about once a second, and once at the start. */
  tick(now: number): void {
    if (this.ended) return
    this.#clock(now)
    try {
      this.#checkTimes(now)
      if (!this.ended) this.onTick(now)
    } catch (error) {
      this.#fail(error)
    }
    if (this.out.length > 0) this.announce()
    if (this.streams.count === 0) {
      this.out.trim()
      this.streams.trim()
      this.#reader.trim()
      this.block.trim()
    }
  }

  /** The bytes to write now, or undefined. Their memory belongs to the caller until `recycle`. */
  takeOutput(): Buffer | undefined {
    this.#announced = false
    return this.out.take()
  }

  /** Gives the memory of `takeOutput` back, when it is written. */
  recycle(chunk: Buffer): void {
    this.out.recycle(chunk)
  }

  /** How many bytes the transport still holds. Beyond the limit with all else that waits, the peer is dropped. */
  setBacklog(bytes: number): void {
    this.backlog = bytes
    if (this.ended) return
    this.checkOutputBytes()
    try {
      if (!this.ended) this.onReceived()
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Bytes for the peer that the driver can take now. */
  get outputBytes(): number {
    return this.out.length
  }

  /**
   * Whether the driver should stop reading until the transport has taken more. Only a server does: if a client
   * stopped too, both would wait for each other.
   */
  get congested(): boolean {
    return this.isServer && this.backlog > this.limits.outputBytesPause
  }

  /** The transport is gone: `cause` where it failed. */
  transportClosed(cause?: unknown): void {
    if (this.ended) return
    if (cause !== undefined) {
      const message = cause instanceof Error ? cause.message : String(cause)
      this.end({ kind: 'transportError', code: ErrorCode.NO_ERROR, message, cause })
    } else if (this.peerGoaway !== undefined) {
      this.end(this.#goawayReason())
    } else {
      this.end({ kind: 'peerClosed', code: ErrorCode.NO_ERROR, message: 'the peer closed the connection' })
    }
  }

  // ---- For the user of either end -------------------------------------------------------------------------

  /** Streams open now. */
  get openStreams(): number {
    return this.streams.count
  }

  /** Sends a PING; the callback is called once, with undefined where the connection ends first. */
  ping(callback: PingCallback): void {
    if (this.ended) {
      callback(undefined)
      return
    }
    writePing(this.out, this.pings.add(callback, this.now), false)
    this.announce()
  }

  /** GOAWAY with this code, then the end. Requests without an answer get none. */
  goaway(code: ErrorCode, debugData?: Uint8Array): void {
    if (this.ended) return
    this.#lastGoaway(code, debugData ?? EMPTY_BODY)
    this.end({ kind: 'closed', code, message: 'closed by us' })
  }

  /** Takes no new requests, lets the open ones finish, then ends (kind `drained`). */
  drain(debugData?: Uint8Array): void {
    if (this.ended || this.draining) return
    this.draining = true
    this.deadlines.going(this.now)
    this.#drainDebug = debugData
    this.onDrain(debugData ?? EMPTY_BODY)
    this.announce()
  }

  // ---- Shared steps ---------------------------------------------------------------------------------------

  /** Tells the driver that there is output, once until it is taken. */
  protected announce(): void {
    if (this.#announced) return
    this.#announced = true
    this.onOutput()
  }

  /** The last stream of the peer's that a GOAWAY may promise to look at. */
  protected get lastServed(): number {
    return this.lastPeerStream
  }

  protected endDrained(): void {
    writeGoaway(this.out, this.lastServed, ErrorCode.NO_ERROR, this.#drainDebug ?? EMPTY_BODY)
    this.end({ kind: 'drained', code: ErrorCode.NO_ERROR, message: 'drained' })
  }

  protected end(reason: EndReason): void {
    if (this.ended) return
    this.ended = true
    const unfinished = this.streams.all()
    this.streams.clear()
    for (const stream of unfinished) stream.held = undefined
    this.sender.heldBytes = 0
    this.pings.end()
    this.#announced = false
    this.announce()
    this.onEnded(reason, unfinished)
  }

  #fail(error: unknown): void {
    if (this.ended) return
    const reason: EndReason =
      error instanceof ConnectionError
        ? { kind: error.kind, code: error.errorCode, message: error.message }
        : {
            kind: 'internalError',
            code: ErrorCode.INTERNAL_ERROR,
            message: error instanceof Error ? error.message : String(error),
            cause: error,
          }
    const debug =
      this.#debugData?.(reason) ?? Buffer.from(reason.kind === 'internalError' ? '' : reason.message)
    this.#lastGoaway(reason.code, debug)
    this.end(reason)
  }

  // Requests that the driver has not taken are reported as never sent, so they must not leave now.
  #lastGoaway(code: ErrorCode, debugData: Uint8Array): void {
    if (!this.isServer) this.out.clear()
    if (this.isServer || this.out.takenBytes > 0) writeGoaway(this.out, this.lastServed, code, debugData)
  }

  /** More waits for the peer than we hold for anybody: it is dropped, as a slow reader. */
  protected checkOutputBytes(): void {
    const bytes = this.backlog + this.out.length + this.sender.heldBytes
    if (this.ended || bytes <= this.limits.outputBytesMax) return
    this.abandoned = true
    this.#fail(
      new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, `${bytes} bytes wait for a slow reader`, 'limit'),
    )
  }

  #goawayReason(): EndReason {
    return { kind: 'peerGoaway', code: this.peerGoaway!, message: 'the peer sent GOAWAY' }
  }

  /** After a GOAWAY of the peer, when nothing is left to do. */
  protected endByPeerGoaway(): void {
    this.end(this.#goawayReason())
  }

  #clock(now: number): void {
    this.now = now
    this.rates.roll(now)
    this.deadlines.start(now)
  }

  #checkTimes(now: number): void {
    this.deadlines.check(now, {
      peerSettingsSeen: this.peerSettingsSeen,
      sentSettings: this.sentSettings,
      unfinished: this.#reader.unfinished || this.block.streamId !== 0,
      frames: this.#reader.frames,
      pings: this.pings,
      openStreams: this.streams.count,
    })
    // Output makes progress when DATA is sent or the socket takes bytes.
    const progress = this.sender.dataBytes + this.out.takenBytes - this.backlog
    const stalledMs = this.deadlines.stalledMs(now, this.backlog > 0 || this.sender.blocked, progress)
    if (stalledMs === undefined) return
    if (stalledMs > this.limits.stalledOutputMsMax) {
      this.abandoned = true
      throw new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, 'the peer takes no bytes', 'timeout')
    }
    this.sender.pump(true)
  }

  /** Milliseconds since the peer's last bytes. */
  protected quietMs(now: number): number {
    return now - this.deadlines.lastFrameAt
  }
}
