import { Connection } from './connection.ts'
import { ConnectionError, type EndReason, ErrorCode } from './errors.ts'
import { PREFACE, writeResetStream } from './frames.ts'
import { responseFault, trailerFault } from './header-rules.ts'
import { DEFAULT_CLIENT_LIMITS } from './limits.ts'
import { CLIENT_SETTINGS, SettingId, STREAM_ID_MAX } from './settings.ts'
import { Closed, Stream } from './stream.ts'
import type { ClientHandler, ClientOptions, HeaderList } from './types.ts'

/**
 * The client end of one HTTP/2 connection. Each request carries a context of the caller, kept in the stream's
 * record and given back with the outcome: exactly one of `onResponse`, `onReset`, `onRefused`, or its place in
 * the `unanswered` list of `onEnd`; none after `cancel`.
 */
export class ClientConnection<C> extends Connection<C> {
  protected readonly bodyBytesMax: number
  readonly #handler: ClientHandler<C>
  readonly #streamsBeforeSettings: number
  readonly #keepAliveMs: number
  #nextId = 1
  /** There was no room when last seen: `onCapacity` is due when there is. */
  #wanted = true

  constructor(options: ClientOptions, handler: ClientHandler<C>) {
    super(false, options, { ...CLIENT_SETTINGS, maxConcurrentStreams: 0 }, DEFAULT_CLIENT_LIMITS)
    this.#handler = handler
    this.#streamsBeforeSettings = options.streamsBeforeSettings ?? 0
    this.#keepAliveMs = options.keepAliveMs ?? Number.POSITIVE_INFINITY
    this.bodyBytesMax = this.limits.responseBodyBytesMax
    this.out.ensure(PREFACE.length)
    this.out.length = PREFACE.copy(this.out.bytes)
    this.writeFirstSettings([
      [SettingId.HEADER_TABLE_SIZE, this.own.headerTableSize],
      [SettingId.ENABLE_PUSH, 0],
      [SettingId.INITIAL_WINDOW_SIZE, this.own.initialWindowSize],
      [SettingId.MAX_FRAME_SIZE, this.own.maxFrameSize],
      [SettingId.MAX_HEADER_LIST_SIZE, this.own.maxHeaderListSize],
    ])
  }

  /** Requests that can be sent now. */
  get availableStreams(): number {
    if (this.ended || this.draining || this.peerGoaway !== undefined) return 0
    // A body that waits for window, or a full socket, means that more requests would only pile up here.
    if (this.sender.blocked || this.#nextId > STREAM_ID_MAX) return 0
    if (this.backlog + this.out.length > this.limits.outputBytesPause) return 0
    const most = this.peerSettingsSeen ? this.peer.maxConcurrentStreams : this.#streamsBeforeSettings
    return Math.max(0, most - this.streams.count)
  }

  /**
   * Sends a request and gives its stream id, or -1 where there is no room now: `onCapacity` tells when there
   * is, `onEnd` or `onGoaway` when there will be none. Throws Http2UsageError for headers that cannot be sent.
   * A string is sent as UTF-8. Neither headers nor body are kept.
   */
  request(headers: HeaderList, body: Uint8Array | string | undefined, context: C): number {
    if (this.availableStreams <= 0) return -1
    const id = this.#nextId
    const bare = body === undefined || body.length === 0
    const outputAt = this.out.takenBytes + this.out.length
    this.sender.headers(id, headers, bare)
    this.#nextId = id + 2
    const stream = new Stream<C>(
      id,
      context,
      this.initialReceiveWindow,
      this.peer.initialWindowSize,
      this.now,
    )
    stream.outputAt = outputAt
    stream.head = headers[1] === 'HEAD'
    stream.localClosed = true
    this.streams.add(stream)
    if (typeof body === 'string') {
      if (!bare) this.sender.text(stream, body)
    } else if (!bare) this.sender.body(stream, body)
    if (this.availableStreams <= 0) this.#wanted = true
    this.announce()
    return id
  }

  /** Gives a request up by RST_STREAM(CANCEL); no handler call follows for it. */
  cancel(streamId: number): void {
    const stream = this.streams.get(streamId)
    if (stream === undefined) return
    writeResetStream(this.out, streamId, ErrorCode.CANCEL)
    this.closeStream(stream, Closed.RESET_BY_US)
    this.#afterClose()
    this.announce()
  }

  /** GOAWAY and the end; open requests are `unanswered`. */
  close(): void {
    this.goaway(ErrorCode.NO_ERROR)
  }

  protected override onHeaderBlock(
    id: number,
    endStream: boolean,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    const headers = this.decoder.decode(bytes, start, end)
    const stream = this.streams.get(id)
    if (stream === undefined) {
      if (this.isIdle(id)) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'HEADERS on an idle stream')
      return this.frameOnClosed(id)
    }
    if (stream.status !== 0) {
      if (!endStream || trailerFault(this.decoder) !== '')
        return this.streamError(stream, ErrorCode.PROTOCOL_ERROR)
      return this.endMessage(stream)
    }
    if (this.decoder.tooLarge) return this.streamError(stream, ErrorCode.ENHANCE_YOUR_CALM)
    if (responseFault(this.decoder) !== '') return this.streamError(stream, ErrorCode.PROTOCOL_ERROR)
    const status = this.decoder.status
    if (status < 200) {
      // RFC 9113 §8.1: interim answers are skipped, and never end the stream.
      if (endStream) this.streamError(stream, ErrorCode.PROTOCOL_ERROR)
      return
    }
    stream.status = status
    stream.headers = headers
    // RFC 9110 §6.4.1: these have no content, whatever content-length says.
    if (!stream.head && status !== 204 && status !== 304) stream.contentLength = this.decoder.contentLength
    if (endStream) this.endMessage(stream)
  }

  protected override onMessageEnd(stream: Stream<C>, body: Buffer): void {
    if (stream.status === 0 || (stream.contentLength >= 0 && stream.contentLength !== stream.bodyLength)) {
      return this.streamError(stream, ErrorCode.PROTOCOL_ERROR)
    }
    if (stream.held !== undefined) {
      // RFC 9113 §8.1: the answer is whole, the rest of the request is of no use.
      writeResetStream(this.out, stream.id, ErrorCode.CANCEL)
      this.closeStream(stream, Closed.RESET_BY_US)
    } else {
      this.closeStream(stream, Closed.ENDED)
    }
    this.#handler.onResponse(stream.context, stream.status, stream.headers, body)
    this.#afterClose()
  }

  protected override onBodyTooLarge(stream: Stream<C>): void {
    writeResetStream(this.out, stream.id, ErrorCode.CANCEL)
    this.closeStream(stream, Closed.RESET_BY_US)
    this.#handler.onReset(stream.context, ErrorCode.ENHANCE_YOUR_CALM)
    this.#afterClose()
  }

  protected override onStreamReset(stream: Stream<C>, code: ErrorCode, byPeer: boolean): void {
    // RFC 9113 §8.7: only the server can say that it did not touch the request.
    if (byPeer && code === ErrorCode.REFUSED_STREAM) this.#handler.onRefused(stream.context)
    else this.#handler.onReset(stream.context, code)
    this.#afterClose()
  }

  protected override onBodySent(): void {}

  protected override isIdle(id: number): boolean {
    return (id & 1) === 0 || id >= this.#nextId
  }

  protected override onPeerGoaway(lastStreamId: number, code: ErrorCode, debugData: Buffer): void {
    this.#handler.onGoaway(code, debugData, lastStreamId)
    if (this.ended) return
    // RFC 9113 §6.8: streams above the last id were not processed.
    for (const stream of this.streams.all()) {
      if (stream.id <= lastStreamId) continue
      this.closeStream(stream, Closed.RESET_BY_US)
      this.#handler.onRefused(stream.context)
      if (this.ended) return
    }
    this.#afterClose()
  }

  #afterClose(): void {
    if (this.streams.count > 0 || this.ended) return
    if (this.peerGoaway !== undefined) this.endByPeerGoaway()
    else if (this.draining) this.endDrained()
  }

  protected override onReceived(): void {
    if (this.availableStreams <= 0) {
      this.#wanted = true
    } else if (this.#wanted) {
      this.#wanted = false
      this.#handler.onCapacity()
    }
  }

  protected override onDrain(): void {
    if (this.streams.count === 0) this.endDrained()
  }

  protected override onTick(now: number): void {
    if (this.quietMs(now) > this.#keepAliveMs && this.pings.count === 0) this.ping(() => {})
    this.onReceived()
  }

  protected override onEnded(reason: EndReason, unfinished: Stream<C>[]): void {
    const unanswered: C[] = []
    for (const stream of unfinished) {
      // What the driver never took was never on the wire.
      if (stream.outputAt >= this.out.takenBytes) this.#handler.onRefused(stream.context)
      else unanswered.push(stream.context)
    }
    this.#handler.onEnd(reason, unanswered)
  }
}
