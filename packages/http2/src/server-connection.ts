import { Connection } from './connection.ts'
import { ConnectionError, type EndReason, ErrorCode } from './errors.ts'
import { writeGoaway, writeResetStream } from './frames.ts'
import { requestFault, trailerFault } from './header-rules.ts'
import { DEFAULT_LIMITS, type Limits } from './limits.ts'
import { SERVER_SETTINGS, SettingId, STREAM_ID_MAX } from './settings.ts'
import { Closed, EMPTY_BODY, Stream } from './stream.ts'
import type { HeaderList, ServerHandler, ServerOptions } from './types.ts'

const HEADERS_TOO_LARGE: HeaderList = [':status', '431']

/**
 * The server end of one HTTP/2 connection. Requests come to the handler; answer them with `respond`, at once
 * or later. Never throws for what a peer sends; `respond` throws Http2UsageError for headers that cannot be
 * sent. A handler that throws ends the connection (kind `internalError`, the error in `cause`).
 */
export class ServerConnection extends Connection<undefined> {
  protected readonly bodyBytesMax: number
  readonly #handler: ServerHandler
  readonly #authorityRequired: boolean
  /** Streams above this id came after our GOAWAY and are refused. */
  #lastAccepted = STREAM_ID_MAX
  #isStopped = false

  constructor(options: ServerOptions, handler: ServerHandler) {
    super(true, options, SERVER_SETTINGS, DEFAULT_LIMITS)
    this.#handler = handler
    this.#authorityRequired = options.authorityRequired ?? false
    this.bodyBytesMax = this.limits.requestBodyBytesMax
    this.budget = options.budget
    this.writeFirstSettings([
      [SettingId.HEADER_TABLE_SIZE, this.own.headerTableSize],
      [SettingId.MAX_CONCURRENT_STREAMS, this.own.maxConcurrentStreams],
      [SettingId.INITIAL_WINDOW_SIZE, this.own.initialWindowSize],
      [SettingId.MAX_FRAME_SIZE, this.own.maxFrameSize],
      [SettingId.MAX_HEADER_LIST_SIZE, this.own.maxHeaderListSize],
    ])
  }

  /**
   * Answers a request: HEADERS with END_STREAM, or HEADERS and one DATA frame with END_STREAM where the peer's
   * windows allow. False where the stream is gone or answered already. An empty body counts as none, and so does
   * the body of an answer to HEAD (RFC 9110 §9.3.2).
   */
  respond(streamId: number, headers: HeaderList, body?: Uint8Array): boolean {
    const stream = this.streams.get(streamId)
    if (stream === undefined || stream.localClosed) return false
    const bare = body === undefined || body.length === 0 || isHead(stream.headers)
    this.sender.headers(streamId, headers, bare)
    stream.localClosed = true
    if (bare || this.sender.body(stream, body)) this.onBodySent(stream)
    this.checkOutputBytes()
    this.announce()
    return true
  }

  /** Ends a stream by RST_STREAM instead of an answer. No handler call follows for it. */
  reset(streamId: number, code: ErrorCode): void {
    const stream = this.streams.get(streamId)
    if (stream === undefined) return
    writeResetStream(this.out, streamId, code)
    this.closeStream(stream, Closed.RESET_BY_US)
    this.#afterClose()
    this.announce()
  }

  /**
   * Announces a new MAX_CONCURRENT_STREAMS. Streams above it are refused: at once after a rise, after the
   * peer's acknowledgement where the limit went down.
   */
  setMaxConcurrentStreams(count: number): void {
    if (this.ended || count === this.own.maxConcurrentStreams) return
    this.own.maxConcurrentStreams = count
    this.writeSettings([[SettingId.MAX_CONCURRENT_STREAMS, count]])
    this.announce()
  }

  /** Whether the peer has still to acknowledge SETTINGS of ours. */
  get settingsPending(): boolean {
    return this.sentSettings.waitingSince !== undefined
  }

  /** Other limits than at the start, from now on; idle time counts from the peer's last bytes all the same. */
  changeLimits(limits: Partial<Pick<Limits, 'idleMsMax' | 'outputBytesMax' | 'outputBytesPause'>>): void {
    Object.assign(this.limits, limits)
  }

  /** From now on only the connection's own limits count. */
  leaveBudget(): void {
    if (this.budget !== undefined) this.budget.bytes -= this.gatheredBytes
    this.budget = undefined
  }

  /**
   * GOAWAY that names the last stream that is served: later ones are given up without a word, as RFC 9113 §6.8
   * has it, and new ones refused. The others finish, where `finishes` says so, before the connection ends
   * (kind `drained`). Unlike with `drain` the caller decides where it stops.
   */
  stopAfter(lastStreamId: number, code: ErrorCode, finishes: boolean, debugData?: Uint8Array): void {
    if (this.ended || this.#lastAccepted !== STREAM_ID_MAX) return
    this.draining = true
    this.#isStopped = true
    this.deadlines.going(this.now)
    this.#lastAccepted = lastStreamId
    for (const stream of this.streams.all()) {
      if (!finishes || stream.id > lastStreamId) this.closeStream(stream, Closed.RESET_BY_US)
    }
    writeGoaway(this.out, lastStreamId, code, debugData ?? EMPTY_BODY)
    this.announce()
    this.#afterClose()
  }

  protected override onHeaderBlock(
    id: number,
    endStream: boolean,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    if ((id & 1) === 0) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'a client used an even stream id')
    const headers = this.decoder.decode(bytes, start, end)
    if (id <= this.lastPeerStream) return this.#trailers(id, endStream)
    this.lastPeerStream = id
    if (id > this.#lastAccepted || this.streams.count >= this.sentSettings.streamsAllowed)
      return this.#refuse(id)
    const stream = new Stream<undefined>(
      id,
      undefined,
      this.initialReceiveWindow,
      this.peer.initialWindowSize,
      this.now,
    )
    this.streams.add(stream)
    stream.remoteClosed = endStream
    if (this.decoder.tooLarge) {
      // RFC 6585 §5, and RFC 9113 §10.5.1.
      this.respond(id, HEADERS_TOO_LARGE)
      this.rates.reset()
      return
    }
    const contentLength = this.decoder.contentLength
    if (requestFault(this.decoder, this.#authorityRequired) !== '' || (endStream && contentLength > 0)) {
      // RFC 9113 §8.1.1: a malformed request is a stream error.
      return this.streamError(stream, ErrorCode.PROTOCOL_ERROR)
    }
    stream.headers = headers
    if (endStream) {
      stream.delivered = true
      this.#handler.onRequest(id, headers, EMPTY_BODY)
    } else {
      stream.contentLength = contentLength
      if (this.budget !== undefined && !this.#chargeHeaders(stream)) return
      if (contentLength > this.bodyBytesMax) this.onBodyTooLarge(stream)
    }
  }

  /** RFC 9113 §6.5.2: the size of a field counts 32 bytes more than its text. */
  #chargeHeaders(stream: Stream<undefined>): boolean {
    let bytes = 0
    for (const text of stream.headers) bytes += text.length + 16
    this.charge(stream, bytes)
    if (!this.isOverBudget) return true
    this.streamError(stream, ErrorCode.ENHANCE_YOUR_CALM)
    return false
  }

  /** HEADERS with an id that was used before: trailers, or a frame for a closed stream. */
  #trailers(id: number, endStream: boolean): void {
    const stream = this.streams.get(id)
    if (stream === undefined) return this.#headersOnClosed(id)
    if (stream.remoteClosed) return this.streamError(stream, ErrorCode.STREAM_CLOSED)
    // RFC 9113 §8.1: trailers end the request.
    if (!endStream || trailerFault(this.decoder) !== '')
      return this.streamError(stream, ErrorCode.PROTOCOL_ERROR)
    this.endMessage(stream)
  }

  #headersOnClosed(id: number): void {
    const how = this.closedStreams.how(id)
    if (how === Closed.ENDED) throw new ConnectionError(ErrorCode.STREAM_CLOSED, 'HEADERS on a closed stream')
    if (how === Closed.UNKNOWN && !this.closedStreams.mayBeForgotten(id, this.lastPeerStream)) {
      // RFC 9113 §5.1.1: a new stream has a higher id than all before it.
      throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'a stream id went backwards')
    }
    this.frameOnClosed(id)
  }

  // RFC 9113 §5.1.2 and §8.7: the peer may safely send it again.
  #refuse(id: number): void {
    writeResetStream(this.out, id, ErrorCode.REFUSED_STREAM)
    this.closedStreams.note(id, Closed.RESET_BY_US)
    this.rates.refusal()
  }

  protected override onMessageEnd(stream: Stream<undefined>, body: Buffer): void {
    if (stream.localClosed) {
      if (stream.held === undefined) this.#finish(stream)
      return
    }
    if (stream.discarding) return
    if (stream.contentLength >= 0 && stream.contentLength !== stream.bodyLength) {
      // RFC 9113 §8.1.1
      return this.streamError(stream, ErrorCode.PROTOCOL_ERROR)
    }
    stream.delivered = true
    this.#handler.onRequest(stream.id, stream.headers, body)
  }

  protected override onBodyTooLarge(stream: Stream<undefined>): void {
    this.discard(stream)
    stream.delivered = true
    this.#handler.onBodyTooLarge(stream.id, stream.headers)
  }

  protected override onStreamReset(stream: Stream<undefined>, code: ErrorCode): void {
    if (!stream.localClosed) {
      if (stream.delivered) this.#handler.onRequestReset(stream.id, code)
      this.rates.reset()
    }
    this.#afterClose()
  }

  protected override onBodySent(stream: Stream<undefined>): void {
    if (stream.remoteClosed) this.#finish(stream)
    else if (!stream.discarding) this.discard(stream)
  }

  #finish(stream: Stream<undefined>): void {
    this.closeStream(stream, Closed.ENDED)
    this.#afterClose()
  }

  #afterClose(): void {
    if (this.streams.count > 0 || !this.draining || this.#lastAccepted === STREAM_ID_MAX) return
    // Its GOAWAY has said everything already.
    if (this.#isStopped) this.end({ kind: 'drained', code: ErrorCode.NO_ERROR, message: 'drained' })
    else this.endDrained()
  }

  protected override isIdle(id: number): boolean {
    return (id & 1) === 0 || id > this.lastPeerStream
  }

  /**
   * RFC 9113 §6.8: first a GOAWAY that names no stream, so that requests under way are still served; when the
   * peer has surely read it, the one that says where we stop.
   */
  protected override onDrain(debugData: Uint8Array): void {
    writeGoaway(this.out, STREAM_ID_MAX, ErrorCode.NO_ERROR, debugData)
    this.ping((roundTripMs) => {
      if (roundTripMs === undefined || this.ended || this.#isStopped) return
      this.#lastAccepted = this.lastPeerStream
      if (this.streams.count === 0) this.endDrained()
      else writeGoaway(this.out, this.lastPeerStream, ErrorCode.NO_ERROR, debugData)
    })
  }

  // RFC 9113 §6.8: the last stream id of a GOAWAY never rises again.
  protected override get lastServed(): number {
    return Math.min(this.lastPeerStream, this.#lastAccepted)
  }

  protected override onTick(now: number): void {
    if (this.peerGoaway !== undefined && this.streams.count === 0 && this.quietMs(now) > 1000) {
      return this.endByPeerGoaway()
    }
    for (const stream of this.streams.all()) {
      if (stream.remoteClosed) continue
      const age = now - stream.openedAt
      if (stream.discarding && stream.localClosed) {
        if (age > this.limits.discardMsMax && stream.held === undefined) this.stopDiscarding(stream)
      } else if (age > this.limits.requestMsMax && !stream.delivered) {
        this.#onRequestTimeout(stream)
      }
    }
  }

  #onRequestTimeout(stream: Stream<undefined>): void {
    if (this.#handler.onRequestTimeout === undefined) {
      return this.streamError(stream, ErrorCode.ENHANCE_YOUR_CALM)
    }
    this.discard(stream)
    stream.delivered = true
    this.#handler.onRequestTimeout(stream.id, stream.headers)
  }

  protected override onEnded(reason: EndReason): void {
    this.leaveBudget()
    this.#handler.onEnd(reason)
  }
}

function isHead(headers: HeaderList): boolean {
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] === ':method') return headers[index + 1] === 'HEAD'
  }
  return false
}
