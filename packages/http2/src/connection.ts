import { ConnectionError, type EndKind, type EndReason, ErrorCode } from './errors.ts'
import { FrameReader, type FrameSink } from './frame-reader.ts'
import {
  Flag,
  FrameType,
  readUint32,
  writeGoaway,
  writePing,
  writeResetStream,
  writeSettings,
  writeSettingsAck,
  writeWindowUpdate,
} from './frames.ts'
import { HeaderBlock } from './header-block.ts'
import { HpackDecoder } from './hpack/decoder.ts'
import { HpackEncoder } from './hpack/encoder.ts'
import type { Limits } from './limits.ts'
import { OutputBuffer } from './output-buffer.ts'
import { Pings } from './pings.ts'
import { Rates } from './rates.ts'
import { Sender } from './sender.ts'
import {
  applySetting,
  checkOwnSettings,
  initialSettings,
  type OwnSettings,
  SettingId,
  STREAM_ID_MAX,
  WINDOW_SIZE_MAX,
} from './settings.ts'
import { Closed, ClosedStreams, EMPTY_BODY, type Stream, StreamTable } from './stream.ts'
import type { CommonOptions, PingCallback } from './types.ts'

/** The receive window of a connection: wide, so that only the windows of the streams ever limit a peer. */
const CONNECTION_WINDOW = 16_777_216

/** SETTINGS of ours that wait for their acknowledgement. */
interface PendingSettings {
  readonly sentAt: number
  readonly maxConcurrentStreams: number
}

/**
 * What both ends of an HTTP/2 connection have in common (RFC 9113), as a state machine without I/O: bytes and
 * the time come in by `receive` and `tick`, bytes for the peer are fetched by `takeOutput`.
 */
export abstract class Connection<C> implements FrameSink {
  /** Set by the driver; called when there is output, once until it is taken. */
  onOutput: () => void = () => {}
  /** The connection is over: write the output that is left, then close the transport. */
  ended = false
  /** The connection ended because the peer takes no bytes: nothing more can be sent, cut the transport. */
  abandoned = false

  protected readonly limits: Limits
  protected readonly own: OwnSettings
  protected readonly peer = initialSettings()
  protected readonly out = new OutputBuffer()
  protected readonly rates: Rates
  protected readonly decoder: HpackDecoder
  protected readonly sender: Sender<C>
  protected readonly streams = new StreamTable<C>()
  protected readonly closedStreams = new ClosedStreams()
  /** The highest stream id that the peer opened. */
  protected lastPeerStream = 0
  /** The time of the last call that told it. */
  protected now = -1
  protected peerSettingsSeen = false
  /** The peer announced its end by GOAWAY. */
  protected peerGoaway: ErrorCode | undefined
  protected draining = false
  /** Bytes that the driver has taken and the socket still holds. */
  protected backlog = 0

  readonly #isServer: boolean
  readonly #debugData: CommonOptions['debugData']
  readonly #encoder: HpackEncoder
  readonly #reader: FrameReader
  readonly #block: HeaderBlock
  readonly #pings = new Pings()
  readonly #pendingSettings: PendingSettings[] = []
  #settingsAcked = false
  #ackedStreams: number
  #receiveWindow = CONNECTION_WINDOW
  #gatheredBytes = 0
  #announced = true
  #startedAt = -1
  #lastFrameAt = -1
  #unfinishedSince = -1
  #framesSeen = -1
  #goingSince = -1
  #stalledSince = -1
  #progress = 0
  #debug: Uint8Array | undefined

  protected constructor(
    isServer: boolean,
    options: CommonOptions,
    settings: OwnSettings,
    limits: Readonly<Limits>,
  ) {
    this.#isServer = isServer
    this.#debugData = options.debugData
    this.limits = { ...limits, ...options.limits }
    this.own = checkOwnSettings({ ...settings, ...options.settings })
    this.#ackedStreams = this.own.maxConcurrentStreams
    this.rates = new Rates(this.limits)
    this.decoder = new HpackDecoder(this.own.headerTableSize, this.own.maxHeaderListSize)
    this.#encoder = new HpackEncoder(options.indexing)
    this.#reader = new FrameReader(this, this.own.maxFrameSize, isServer)
    this.#block = new HeaderBlock(this.limits)
    this.sender = new Sender<C>(this.out, this.#encoder, this.peer, this.rates, (stream) =>
      this.onBodySent(stream),
    )
  }

  // ---- For the driver -------------------------------------------------------------------------------------

  /** Takes bytes from the peer. Never throws, whatever they are. `now`: milliseconds of any steady clock. */
  receive(chunk: Uint8Array, now: number): void {
    if (this.ended) return
    this.#clock(now)
    this.#lastFrameAt = now
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
      this.#block.trim()
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

  /** Whether the driver should stop reading until the transport has taken more. */
  get congested(): boolean {
    return this.backlog > this.limits.outputBytesPause
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
    writePing(this.out, this.#pings.add(callback, this.now), false)
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
    this.#goingSince = this.now
    this.#debug = debugData
    this.onDrain(debugData ?? EMPTY_BODY)
    this.announce()
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

  // ---- Frames ---------------------------------------------------------------------------------------------

  onFrame(type: number, flags: number, id: number, payload: Buffer, start: number, end: number): void {
    if (this.#block.streamId !== 0 && (type !== FrameType.CONTINUATION || id !== this.#block.streamId)) {
      // RFC 9113 §4.3: nothing may come between the frames of a header block.
      throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'another frame inside a header block')
    }
    if (!this.peerSettingsSeen && (type !== FrameType.SETTINGS || (flags & Flag.ACK) !== 0)) {
      // RFC 9113 §3.4
      throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'the first frame was not SETTINGS')
    }
    switch (type) {
      case FrameType.DATA:
        return this.#data(flags, id, payload, start, end)
      case FrameType.HEADERS:
        return this.#headers(flags, id, payload, start, end)
      case FrameType.PRIORITY:
        return this.#priority(id, payload, start, end)
      case FrameType.RST_STREAM:
        return this.#resetStream(id, payload, start, end)
      case FrameType.SETTINGS:
        return this.#settings(flags, id, payload, start, end)
      case FrameType.PUSH_PROMISE:
        // RFC 9113 §8.4: a client cannot push, and our clients switch push off.
        throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'PUSH_PROMISE is not accepted')
      case FrameType.PING:
        return this.#ping(flags, id, payload, start, end)
      case FrameType.GOAWAY:
        return this.#goaway(id, payload, start, end)
      case FrameType.WINDOW_UPDATE:
        return this.#windowUpdate(id, payload, start, end)
      case FrameType.CONTINUATION:
        return this.#continuation(flags, id, payload, start, end)
      default:
        // RFC 9113 §4.1: frames of unknown type are ignored.
        this.rates.ignored()
    }
  }

  #headers(flags: number, id: number, payload: Buffer, start: number, end: number): void {
    needStream(id, 'HEADERS')
    if ((flags & Flag.PADDED) !== 0) {
      end -= paddingLength(payload, start, end)
      start += 1
    }
    let dependsOnItself = false
    if ((flags & Flag.PRIORITY) !== 0) {
      if (end - start < 5) throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, 'HEADERS is too short')
      dependsOnItself = (readUint32(payload, start) & STREAM_ID_MAX) === id
      start += 5
    }
    const endStream = (flags & Flag.END_STREAM) !== 0
    if ((flags & Flag.END_HEADERS) === 0) this.#block.begin(id, endStream, payload, start, end)
    else this.onHeaderBlock(id, endStream, payload, start, end)
    if (dependsOnItself) this.#selfDependency(id)
  }

  #continuation(flags: number, id: number, payload: Buffer, start: number, end: number): void {
    const block = this.#block
    if (block.streamId === 0)
      throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'CONTINUATION without HEADERS')
    block.add(payload, start, end)
    if ((flags & Flag.END_HEADERS) === 0) return
    block.streamId = 0
    this.onHeaderBlock(id, block.endStream, block.bytes, 0, block.length)
  }

  #data(flags: number, id: number, payload: Buffer, start: number, end: number): void {
    needStream(id, 'DATA')
    const flowLength = end - start
    this.#receiveWindow -= flowLength
    if (this.#receiveWindow < 0) {
      throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, 'DATA beyond the window of the connection')
    }
    if (this.#receiveWindow < CONNECTION_WINDOW / 2) {
      writeWindowUpdate(this.out, 0, CONNECTION_WINDOW - this.#receiveWindow)
      this.#receiveWindow = CONNECTION_WINDOW
    }
    if ((flags & Flag.PADDED) !== 0) {
      end -= paddingLength(payload, start, end)
      start += 1
    }
    const endStream = (flags & Flag.END_STREAM) !== 0
    if (start === end && !endStream) this.rates.emptyData()
    const stream = this.streams.get(id)
    if (stream === undefined) return this.#dataOnClosed(id)
    if (stream.remoteClosed) return this.streamError(stream, ErrorCode.STREAM_CLOSED)
    stream.receiveWindow -= flowLength
    if (stream.receiveWindow < 0) return this.streamError(stream, ErrorCode.FLOW_CONTROL_ERROR)
    if (endStream && stream.bodyLength === 0 && end - start <= this.bodyBytesMax) {
      // The usual case: the whole body in one frame, given on as it lies here.
      stream.bodyLength = end - start
      this.#messageEnd(stream, start === end ? EMPTY_BODY : payload.subarray(start, end))
    } else {
      this.#gather(stream, payload, start, end, endStream)
    }
  }

  #gather(stream: Stream<C>, payload: Buffer, start: number, end: number, endStream: boolean): void {
    const count = end - start
    stream.bodyLength += count
    if (!stream.discarding && stream.bodyLength > this.bodyBytesMax) this.onBodyTooLarge(stream)
    if (this.streams.get(stream.id) !== stream) return
    if (!stream.discarding && !this.#append(stream, payload, start, end)) return
    if (endStream) {
      this.#messageEnd(stream, stream.discarding ? EMPTY_BODY : stream.body.subarray(0, stream.bodyLength))
    } else if (stream.discarding) {
      const most = this.bodyBytesMax + this.limits.discardedBytesMax
      if (stream.bodyLength > most && stream.localClosed && stream.held === undefined)
        this.stopDiscarding(stream)
    } else if (stream.receiveWindow < this.own.initialWindowSize / 2) {
      const increment = this.own.initialWindowSize - stream.receiveWindow
      stream.receiveWindow += increment
      writeWindowUpdate(this.out, stream.id, increment)
    }
  }

  /** Adds to the body of a stream; false where the connection holds too much and the stream was reset. */
  #append(stream: Stream<C>, payload: Buffer, start: number, end: number): boolean {
    const before = stream.bodyLength - (end - start)
    if (stream.body.length < stream.bodyLength) {
      const room = Math.max(1024, stream.bodyLength, Math.min(stream.body.length * 2, this.bodyBytesMax))
      this.#gatheredBytes += room - stream.gathered
      stream.gathered = room
      const larger = Buffer.allocUnsafeSlow(room)
      stream.body.copy(larger, 0, 0, before)
      stream.body = larger
    }
    payload.copy(stream.body, before, start, end)
    if (this.#gatheredBytes <= this.limits.gatheredBytesMax) return true
    this.streamError(stream, ErrorCode.ENHANCE_YOUR_CALM)
    return false
  }

  #messageEnd(stream: Stream<C>, body: Buffer): void {
    stream.remoteClosed = true
    if (stream.gathered > 0) this.#release(stream)
    this.onMessageEnd(stream, body)
  }

  /** The stream ends without a further DATA frame: by HEADERS or trailers with END_STREAM. */
  protected endMessage(stream: Stream<C>): void {
    this.#messageEnd(stream, stream.body.subarray(0, stream.gathered > 0 ? stream.bodyLength : 0))
  }

  #dataOnClosed(id: number): void {
    if (this.isIdle(id)) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'DATA on an idle stream')
    this.frameOnClosed(id)
  }

  #priority(id: number, payload: Buffer, start: number, end: number): void {
    needStream(id, 'PRIORITY')
    this.rates.ignored()
    if (end - start !== 5) this.resetById(id, ErrorCode.FRAME_SIZE_ERROR)
    else if ((readUint32(payload, start) & STREAM_ID_MAX) === id) this.#selfDependency(id)
  }

  // RFC 7540 §5.3.1. RFC 9113 dropped priorities and this rule with them, but no honest peer breaks it.
  #selfDependency(id: number): void {
    if (!this.ended) this.resetById(id, ErrorCode.PROTOCOL_ERROR)
  }

  #resetStream(id: number, payload: Buffer, start: number, end: number): void {
    needStream(id, 'RST_STREAM')
    needLength(end - start, 4, 'RST_STREAM')
    const stream = this.streams.get(id)
    if (stream === undefined) {
      if (this.isIdle(id)) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'RST_STREAM on an idle stream')
      return
    }
    this.closeStream(stream, Closed.ENDED)
    this.onStreamReset(stream, readUint32(payload, start), true)
  }

  #settings(flags: number, id: number, payload: Buffer, start: number, end: number): void {
    needConnection(id, 'SETTINGS')
    const length = end - start
    if ((flags & Flag.ACK) !== 0) {
      needLength(length, 0, 'the acknowledgement of SETTINGS')
      return this.#settingsAck()
    }
    if (length % 6 !== 0)
      throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, 'SETTINGS has a broken length')
    this.rates.settings()
    const windowBefore = this.peer.initialWindowSize
    for (let at = start; at < end; at += 6) {
      applySetting(
        this.peer,
        (payload[at]! << 8) | payload[at + 1]!,
        readUint32(payload, at + 2),
        !this.#isServer,
      )
    }
    this.#encoder.setTableSizeMax(this.peer.headerTableSize)
    this.#windowChanged(this.peer.initialWindowSize - windowBefore)
    writeSettingsAck(this.out)
    this.peerSettingsSeen = true
    this.onPeerSettings()
  }

  // RFC 9113 §6.9.2: a change of the initial window moves the windows of all open streams.
  #windowChanged(difference: number): void {
    if (difference === 0) return
    for (const stream of this.streams.all()) {
      stream.sendWindow += difference
      if (stream.sendWindow > WINDOW_SIZE_MAX) {
        throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, 'SETTINGS put a window above 2^31-1')
      }
    }
    this.sender.pump(false)
  }

  #settingsAck(): void {
    const acknowledged = this.#pendingSettings.shift()
    // An acknowledgement of nothing is of no use and of no harm.
    if (acknowledged === undefined) return
    this.#ackedStreams = acknowledged.maxConcurrentStreams
    if (this.#settingsAcked) return
    this.#settingsAcked = true
    this.decoder.settingsAcknowledged()
  }

  #ping(flags: number, id: number, payload: Buffer, start: number, end: number): void {
    needConnection(id, 'PING')
    needLength(end - start, 8, 'PING')
    if ((flags & Flag.ACK) !== 0) {
      this.#pings.answered(payload, start, this.now)
      return
    }
    this.rates.ping()
    writePing(this.out, payload.subarray(start, end), true)
  }

  #goaway(id: number, payload: Buffer, start: number, end: number): void {
    needConnection(id, 'GOAWAY')
    if (end - start < 8) throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, 'GOAWAY is too short')
    this.rates.settings()
    this.peerGoaway = readUint32(payload, start + 4)
    if (this.#goingSince < 0) this.#goingSince = this.now
    this.onPeerGoaway(
      readUint32(payload, start) & STREAM_ID_MAX,
      this.peerGoaway,
      payload.subarray(start + 8, end),
    )
  }

  #windowUpdate(id: number, payload: Buffer, start: number, end: number): void {
    needLength(end - start, 4, 'WINDOW_UPDATE')
    this.rates.windowUpdate()
    const increment = readUint32(payload, start) & WINDOW_SIZE_MAX
    if (id === 0) {
      if (increment === 0) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'WINDOW_UPDATE of 0')
      return this.sender.widen(increment)
    }
    const stream = this.streams.get(id)
    if (stream === undefined) {
      if (this.isIdle(id))
        throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'WINDOW_UPDATE on an idle stream')
      return
    }
    if (increment === 0) return this.streamError(stream, ErrorCode.PROTOCOL_ERROR)
    if (stream.sendWindow + increment > WINDOW_SIZE_MAX) {
      return this.streamError(stream, ErrorCode.FLOW_CONTROL_ERROR)
    }
    stream.sendWindow += increment
    if (stream.held !== undefined) this.sender.pump(false)
  }

  // ---- Shared steps ---------------------------------------------------------------------------------------

  /** Tells the driver that there is output, once until it is taken. */
  protected announce(): void {
    if (this.#announced) return
    this.#announced = true
    this.onOutput()
  }

  /** Writes the beginning of our side: SETTINGS and the wide window. */
  protected writeFirstSettings(entries: readonly (readonly [number, number])[]): void {
    this.writeSettings(entries)
    writeWindowUpdate(this.out, 0, CONNECTION_WINDOW - 65_535)
  }

  protected writeSettings(entries: readonly (readonly [number, number])[]): void {
    writeSettings(this.out, entries)
    const streams = entries.find(([id]) => id === SettingId.MAX_CONCURRENT_STREAMS)?.[1]
    this.#pendingSettings.push({
      sentAt: this.now,
      maxConcurrentStreams: streams ?? this.own.maxConcurrentStreams,
    })
  }

  /** Streams that the peer may have open: a lower limit counts from its acknowledgement on (RFC 9113 §6.5.3). */
  protected get streamsAllowed(): number {
    let most = this.#ackedStreams
    for (const pending of this.#pendingSettings) most = Math.max(most, pending.maxConcurrentStreams)
    return most
  }

  /** The receive window that a new stream has in the peer's eyes. */
  protected get initialReceiveWindow(): number {
    return this.#settingsAcked ? this.own.initialWindowSize : Math.max(this.own.initialWindowSize, 65_535)
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
    this.#release(stream)
  }

  protected closeStream(stream: Stream<C>, how: number): void {
    this.streams.remove(stream)
    this.closedStreams.note(stream.id, how)
    if (stream.gathered > 0) this.#release(stream)
    if (stream.held !== undefined) this.sender.drop(stream)
  }

  #release(stream: Stream<C>): void {
    this.#gatheredBytes -= stream.gathered
    stream.gathered = 0
    stream.body = EMPTY_BODY
  }

  protected endDrained(): void {
    writeGoaway(this.out, this.lastPeerStream, ErrorCode.NO_ERROR, this.#debug ?? EMPTY_BODY)
    this.end({ kind: 'drained', code: ErrorCode.NO_ERROR, message: 'drained' })
  }

  protected end(reason: EndReason): void {
    if (this.ended) return
    this.ended = true
    const unfinished = this.streams.all()
    this.streams.clear()
    for (const stream of unfinished) stream.held = undefined
    this.sender.heldBytes = 0
    this.#pings.end()
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
    if (!this.#isServer) this.out.clear()
    if (this.#isServer || this.out.takenBytes > 0) writeGoaway(this.out, this.lastPeerStream, code, debugData)
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
    if (this.#startedAt >= 0) return
    this.#startedAt = now
    this.#lastFrameAt = now
  }

  #checkTimes(now: number): void {
    const limits = this.limits
    const expired = (since: number, most: number): boolean => now - since > most
    if (!this.peerSettingsSeen && expired(this.#startedAt, limits.prefaceMsMax)) {
      throw timeout(ErrorCode.PROTOCOL_ERROR, 'no preface and SETTINGS in time')
    }
    const oldest = this.#pendingSettings[0]
    if (oldest !== undefined && expired(Math.max(oldest.sentAt, this.#startedAt), limits.settingsAckMsMax)) {
      throw timeout(ErrorCode.SETTINGS_TIMEOUT, 'our SETTINGS were not acknowledged in time')
    }
    this.#checkUnfinished(now)
    if (this.#pings.overdue(now, limits.pingAckMsMax)) {
      throw timeout(ErrorCode.NO_ERROR, 'a PING was not answered in time')
    }
    if (this.streams.count === 0 && expired(this.#lastFrameAt, limits.idleMsMax)) {
      throw timeout(ErrorCode.NO_ERROR, 'idle')
    }
    this.#checkGoing(now)
    this.#checkOutput(now)
  }

  #checkUnfinished(now: number): void {
    const unfinished = this.#reader.unfinished || this.#block.streamId !== 0
    if (!unfinished || this.#reader.frames !== this.#framesSeen) {
      this.#unfinishedSince = now
      this.#framesSeen = this.#reader.frames
    } else if (now - this.#unfinishedSince > this.limits.unfinishedFrameMsMax) {
      throw timeout(ErrorCode.ENHANCE_YOUR_CALM, 'a frame or header block was not finished in time')
    }
  }

  #checkGoing(now: number): void {
    if (this.#goingSince < 0) return
    if (now - this.#goingSince > this.limits.drainMsMax) {
      throw timeout(ErrorCode.NO_ERROR, 'open streams did not finish in time')
    }
  }

  // Output makes progress when DATA is sent or the socket takes bytes.
  #checkOutput(now: number): void {
    if (this.backlog === 0 && !this.sender.blocked) {
      this.#stalledSince = -1
      return
    }
    const progress = this.sender.dataBytes + this.out.takenBytes - this.backlog
    if (this.#stalledSince < 0 || progress !== this.#progress) {
      this.#stalledSince = now
      this.#progress = progress
      return
    }
    if (now - this.#stalledSince > this.limits.stalledOutputMsMax) {
      this.abandoned = true
      throw timeout(ErrorCode.ENHANCE_YOUR_CALM, 'the peer takes no bytes')
    }
    this.sender.pump(true)
  }

  /** Milliseconds since the peer's last bytes. */
  protected quietMs(now: number): number {
    return now - this.#lastFrameAt
  }

  protected get pingsOutstanding(): number {
    return this.#pings.count
  }
}

const timeout = (code: ErrorCode, message: string): ConnectionError =>
  new ConnectionError(code, message, 'timeout' satisfies EndKind)

const needStream = (id: number, frame: string): void => {
  if (id === 0) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, `${frame} on stream 0`)
}

const needConnection = (id: number, frame: string): void => {
  if (id !== 0) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, `${frame} on a stream`)
}

const needLength = (length: number, wanted: number, frame: string): void => {
  if (length !== wanted) throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, `${frame} has a broken length`)
}

/** The length of the padding after the content (RFC 9113 §6.1); the length octet itself is not in it. */
const paddingLength = (payload: Buffer, start: number, end: number): number => {
  if (end === start) throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, 'a padded frame is empty')
  const padding = payload[start]!
  if (padding >= end - start)
    throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'padding longer than the frame')
  return padding
}
