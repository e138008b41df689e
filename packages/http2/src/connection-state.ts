import { Deadlines } from './deadlines.ts'
import { type EndReason, ErrorCode } from './errors.ts'
import { writeResetStream, writeSettings, writeWindowUpdate } from './frames.ts'
import { HeaderBlock } from './header-block.ts'
import { HpackDecoder } from './hpack/decoder.ts'
import { HpackEncoder } from './hpack/encoder.ts'
import type { Limits } from './limits.ts'
import { OutputBuffer } from './output-buffer.ts'
import { Pings } from './pings.ts'
import { Rates } from './rates.ts'
import { Sender } from './sender.ts'
import { SentSettings } from './sent-settings.ts'
import { checkOwnSettings, initialSettings, type OwnSettings, SettingId } from './settings.ts'
import { Closed, ClosedStreams, EMPTY_BODY, type Stream, StreamTable } from './stream.ts'
import type { ByteBudget, CommonOptions } from './types.ts'

/** The receive window of a connection: wide, so that only the windows of the streams ever limit a peer. */
export const CONNECTION_WINDOW = 16_777_216

/**
 * What both ends of a connection hold, and the few steps by which streams end: the ground on which
 * `connection-frames.ts` and the ends stand.
 */
export abstract class ConnectionState<C> {
  /** The connection is over: write the output that is left, then close the transport. */
  ended = false

  /** False: PINGs get no answer, against RFC 9113 §6.7. For subclasses that have trouble on purpose. */
  protected answersPings = true
  protected readonly limits: Limits
  protected readonly own: OwnSettings
  protected readonly peer = initialSettings()
  protected readonly out = new OutputBuffer()
  protected readonly rates: Rates
  protected readonly decoder: HpackDecoder
  protected readonly sender: Sender<C>
  protected readonly streams = new StreamTable<C>()
  protected readonly closedStreams = new ClosedStreams()
  protected readonly block: HeaderBlock
  protected readonly pings = new Pings()
  protected readonly deadlines: Deadlines
  protected readonly sentSettings: SentSettings
  protected readonly isServer: boolean
  /** The highest stream id that the peer opened. */
  protected lastPeerStream = 0
  /** The time of the last call that told it. */
  protected now = -1
  protected peerSettingsSeen = false
  /** The peer announced its end by GOAWAY. */
  protected peerGoaway: ErrorCode | undefined

  protected readonly encoder: HpackEncoder
  /** Bytes of memory for bodies that are not whole yet. */
  protected gatheredBytes = 0
  /** Shared with other connections; all of `gatheredBytes` is counted there too. */
  protected budget: ByteBudget | undefined

  protected constructor(
    isServer: boolean,
    options: CommonOptions,
    settings: OwnSettings,
    limits: Readonly<Limits>,
  ) {
    this.isServer = isServer
    this.limits = { ...limits, ...options.limits }
    this.own = checkOwnSettings({ ...settings, ...options.settings })
    this.sentSettings = new SentSettings(this.own.maxConcurrentStreams)
    this.deadlines = new Deadlines(this.limits)
    this.rates = new Rates(this.limits)
    this.decoder = new HpackDecoder(this.own.headerTableSize, this.own.maxHeaderListSize)
    this.encoder = new HpackEncoder(options.indexing)
    this.block = new HeaderBlock(this.limits)
    this.sender = new Sender<C>(this.out, this.encoder, this.peer, this.rates, (stream) =>
      this.onBodySent(stream),
    )
  }

  // ---- What an end does its own way -----------------------------------------------------------------------

  /** A whole header block; HPACK state demands that it be decoded whatever becomes of it. */
  protected abstract onHeaderBlock(
    id: number,
    endStream: boolean,
    bytes: Buffer,
    start: number,
    end: number,
  ): void
  /** A stream got all its bytes: `body` may be a view of the receive buffer. */
  protected abstract onMessageEnd(stream: Stream<C>, body: Buffer): void
  /** More than the allowed body. */
  protected abstract onBodyTooLarge(stream: Stream<C>): void
  protected abstract readonly bodyBytesMax: number
  /** The stream is over before its end, by the peer's RST_STREAM or by ours for the peer's fault. */
  protected abstract onStreamReset(stream: Stream<C>, code: ErrorCode, byPeer: boolean): void
  protected abstract onBodySent(stream: Stream<C>): void
  /** Whether the id is of a stream that nobody has opened yet (RFC 9113 §5.1.1). */
  protected abstract isIdle(id: number): boolean
  protected abstract onDrain(debugData: Uint8Array): void
  protected abstract onEnded(reason: EndReason, unfinished: Stream<C>[]): void
  protected onPeerSettings(): void {}
  protected onPeerGoaway(_lastStreamId: number, _code: ErrorCode, _debugData: Buffer): void {}
  /** After all frames of a chunk, and when the transport has room again. */
  protected onReceived(): void {}
  protected onTick(_now: number): void {}

  // ---- Shared steps ---------------------------------------------------------------------------------------

  /** Writes the beginning of our side: SETTINGS and the wide window. */
  protected writeFirstSettings(entries: readonly (readonly [number, number])[]): void {
    this.writeSettings(entries)
    writeWindowUpdate(this.out, 0, CONNECTION_WINDOW - 65_535)
  }

  protected writeSettings(entries: readonly (readonly [number, number])[]): void {
    writeSettings(this.out, entries)
    const streams = entries.find(([id]) => id === SettingId.MAX_CONCURRENT_STREAMS)?.[1]
    this.sentSettings.sent(this.now, streams ?? this.own.maxConcurrentStreams)
  }

  /** The receive window that a new stream has in the peer's eyes. */
  protected get initialReceiveWindow(): number {
    return this.sentSettings.acknowledged
      ? this.own.initialWindowSize
      : Math.max(this.own.initialWindowSize, 65_535)
  }

  /** Ends a stream for the peer's fault, with RST_STREAM. */
  protected streamError(stream: Stream<C>, code: ErrorCode): void {
    writeResetStream(this.out, stream.id, code)
    this.closeStream(stream, Closed.RESET_BY_US)
    this.onStreamReset(stream, code, false)
  }

  /** RST_STREAM for a stream that may be open, closed, or never have been there. */
  protected resetById(id: number, code: ErrorCode): void {
    const stream = this.streams.get(id)
    if (stream !== undefined) return this.streamError(stream, code)
    writeResetStream(this.out, id, code)
    if (!this.isIdle(id)) this.closedStreams.note(id, Closed.RESET_BY_US)
    this.rates.reset()
  }

  /** DATA (or trailers) of a stream that is closed here. */
  protected frameOnClosed(id: number): void {
    // RFC 9113 §5.1: after our RST_STREAM the peer may have had frames under way.
    if (this.closedStreams.how(id) === Closed.RESET_BY_US) return
    this.resetById(id, ErrorCode.STREAM_CLOSED)
  }

  protected stopDiscarding(stream: Stream<C>): void {
    // RFC 9113 §8.1: a server may end the rest of a request with RST_STREAM(NO_ERROR) after its answer.
    writeResetStream(this.out, stream.id, ErrorCode.NO_ERROR)
    this.closeStream(stream, Closed.RESET_BY_US)
  }

  protected discard(stream: Stream<C>): void {
    stream.discarding = true
    stream.openedAt = this.now
    this.release(stream)
  }

  protected closeStream(stream: Stream<C>, how: number): void {
    this.streams.remove(stream)
    this.closedStreams.note(stream.id, how)
    if (stream.gathered > 0) this.release(stream)
    if (stream.held !== undefined) this.sender.drop(stream)
  }

  /** Counts memory that an unfinished request holds. */
  protected charge(stream: Stream<C>, bytes: number): void {
    stream.gathered += bytes
    this.gatheredBytes += bytes
    if (this.budget !== undefined) this.budget.bytes += bytes
  }

  /** All connections of the budget together hold more than they may. */
  protected get isOverBudget(): boolean {
    return this.budget !== undefined && this.budget.bytes > this.budget.bytesMax
  }

  protected release(stream: Stream<C>): void {
    this.gatheredBytes -= stream.gathered
    if (this.budget !== undefined) this.budget.bytes -= stream.gathered
    stream.gathered = 0
    stream.body = EMPTY_BODY
  }
}
