import { CONNECTION_WINDOW, ConnectionState } from './connection-state.ts'
import { ConnectionError, ErrorCode } from './errors.ts'
import { needConnection, needLength, needStream, paddingLength } from './frame-checks.ts'
import type { FrameSink } from './frame-reader.ts'
import { Flag, FrameType, readUint32, writePing, writeSettingsAck, writeWindowUpdate } from './frames.ts'
import { applySetting, SettingId, STREAM_ID_MAX, WINDOW_SIZE_MAX } from './settings.ts'
import { Closed, EMPTY_BODY, type Stream } from './stream.ts'

/**
 * What the frames of a peer do to a connection (RFC 9113 §4 to §6): the part that both ends share. An error
 * of the connection is thrown as ConnectionError, one of a stream is answered by RST_STREAM.
 */
export abstract class ConnectionFrames<C> extends ConnectionState<C> implements FrameSink {
  #receiveWindow = CONNECTION_WINDOW

  onFrame(type: number, flags: number, id: number, payload: Buffer, start: number, end: number): void {
    if (this.block.streamId !== 0 && (type !== FrameType.CONTINUATION || id !== this.block.streamId)) {
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
    this.block.checkLength(end - start)
    if ((flags & Flag.END_HEADERS) === 0) {
      this.block.begin(id, endStream, payload, start, end)
      this.block.dependsOnItself = dependsOnItself
      return
    }
    this.onHeaderBlock(id, endStream, payload, start, end)
    if (dependsOnItself) this.#selfDependency(id)
  }

  #continuation(flags: number, id: number, payload: Buffer, start: number, end: number): void {
    const block = this.block
    if (block.streamId === 0)
      throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'CONTINUATION without HEADERS')
    block.add(payload, start, end)
    if ((flags & Flag.END_HEADERS) === 0) return
    block.streamId = 0
    this.onHeaderBlock(id, block.endStream, block.bytes, 0, block.length)
    if (block.dependsOnItself) this.#selfDependency(id)
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
    } else {
      this.#openWindow(stream)
    }
  }

  /** Lets the peer send on where it has used up half of a stream's window. */
  #openWindow(stream: Stream<C>): void {
    if (stream.receiveWindow >= this.own.initialWindowSize / 2) return
    const increment = this.own.initialWindowSize - stream.receiveWindow
    stream.receiveWindow += increment
    writeWindowUpdate(this.out, stream.id, increment)
  }

  /** Adds to the body of a stream; false where the connection holds too much and the stream was reset. */
  #append(stream: Stream<C>, payload: Buffer, start: number, end: number): boolean {
    const before = stream.bodyLength - (end - start)
    if (stream.body.length < stream.bodyLength) {
      const room = Math.max(1024, stream.bodyLength, Math.min(stream.body.length * 2, this.bodyBytesMax))
      this.charge(stream, room - stream.body.length)
      const larger = Buffer.allocUnsafeSlow(room)
      stream.body.copy(larger, 0, 0, before)
      stream.body = larger
    }
    payload.copy(stream.body, before, start, end)
    if (!this.isOverBudget && this.gatheredBytes <= this.limits.gatheredBytesMax) return true
    this.streamError(stream, ErrorCode.ENHANCE_YOUR_CALM)
    return false
  }

  #messageEnd(stream: Stream<C>, body: Buffer): void {
    stream.remoteClosed = true
    if (stream.gathered > 0) this.release(stream)
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
      const setting = (payload[at]! << 8) | payload[at + 1]!
      applySetting(this.peer, setting, readUint32(payload, at + 2), !this.isServer)
      // RFC 7541 §4.2: each value counts, for the lowest on the way must be signalled as well as the last.
      if (setting === SettingId.HEADER_TABLE_SIZE) this.encoder.setTableSizeMax(this.peer.headerTableSize)
    }
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
    const windowBefore = this.initialReceiveWindow
    if (!this.sentSettings.acknowledge()) return
    this.decoder.settingsAcknowledged()
    const difference = this.initialReceiveWindow - windowBefore
    if (difference === 0) return
    // RFC 9113 §6.9.2: streams that were opened before are as wide as the rest from now on, and may be below zero.
    for (const stream of this.streams.all()) {
      stream.receiveWindow += difference
      if (!stream.remoteClosed && !stream.discarding) this.#openWindow(stream)
    }
  }

  #ping(flags: number, id: number, payload: Buffer, start: number, end: number): void {
    needConnection(id, 'PING')
    needLength(end - start, 8, 'PING')
    if ((flags & Flag.ACK) !== 0) {
      this.pings.answered(payload, start, this.now)
      return
    }
    this.rates.ping()
    if (this.answersPings) writePing(this.out, payload.subarray(start, end), true)
  }

  #goaway(id: number, payload: Buffer, start: number, end: number): void {
    needConnection(id, 'GOAWAY')
    if (end - start < 8) throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, 'GOAWAY is too short')
    this.rates.settings()
    this.peerGoaway = readUint32(payload, start + 4)
    this.deadlines.going(this.now)
    this.onPeerGoaway(
      readUint32(payload, start) & STREAM_ID_MAX,
      this.peerGoaway,
      // A copy: it is seldom, and whoever logs it later must not find other bytes there.
      Buffer.from(payload.subarray(start + 8, end)),
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
}
