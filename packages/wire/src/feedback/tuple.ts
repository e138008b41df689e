/*
 * What the feedback service sends, one tuple per token whose app is gone, until it closes. The client sends
 * nothing. Apple, "Binary Provider API" (archived), section on the feedback service.
 *
 *   u32 seconds since 1970 | u16 length | token
 */
import { ByteWriter } from '../bytes/byte-writer.ts'
import { ChunkBuffer } from '../bytes/chunk-buffer.ts'
import { readU16, readU32 } from '../bytes/read.ts'
import { feedbackTokenBytesMax } from '../limits.ts'
import { WireError } from '../wire-error.ts'

export interface FeedbackTuple {
  /** When the service knew that the app is gone: seconds since 1970, where a 410 answer has milliseconds. */
  atSeconds: number
  token: Uint8Array
}

/** @throws WireError `feedback-tuple-invalid` for a token of 0 or over 100 bytes, `value-out-of-range` */
export function encodeFeedbackTuple(tuple: FeedbackTuple): Uint8Array {
  const writer = new ByteWriter(6 + tuple.token.length)
  appendFeedbackTuple(writer, tuple)
  return writer.finish()
}

/** Writes a tuple behind what the writer holds. @throws WireError as `encodeFeedbackTuple` */
export function appendFeedbackTuple(writer: ByteWriter, { atSeconds, token }: FeedbackTuple): void {
  requireTokenLength(token.length)
  writer.u32(atSeconds).u16(token.length).raw(token)
}

/**
 * The tuple at `offset`; its token is a view of `bytes`.
 *
 * @returns `undefined` while the tuple is incomplete
 * @throws WireError `feedback-tuple-invalid`
 */
export function decodeFeedbackTuple(
  bytes: Uint8Array,
  offset = 0,
  end: number = bytes.length,
): { value: FeedbackTuple; next: number } | undefined {
  if (end - offset < 6) return undefined
  const length = readU16(bytes, offset + 4)
  requireTokenLength(length)
  const next = offset + 6 + length
  if (end < next) return undefined
  return { value: { atSeconds: readU32(bytes, offset), token: bytes.subarray(offset + 6, next) }, next }
}

function requireTokenLength(length: number): void {
  if (length >= 1 && length <= feedbackTokenBytesMax) return
  throw new WireError(
    'feedback-tuple-invalid',
    `A feedback tuple has a token of ${length} bytes, not 1 to 100`,
  )
}

/** The tuples in a byte stream, whatever its chunks. */
export class FeedbackReader {
  readonly #buffer = new ChunkBuffer()

  /** Bytes of a tuple that is not whole: other than 0 at the end of the stream means it was cut off. */
  get pendingBytes(): number {
    return this.#buffer.pending
  }

  push(chunk: Uint8Array): void {
    this.#buffer.push(chunk)
  }

  /** The next tuple, `undefined` until more bytes arrive. @throws WireError as `decodeFeedbackTuple` */
  next(): FeedbackTuple | undefined {
    const { bytes, start, end } = this.#buffer
    const decoded = decodeFeedbackTuple(bytes, start, end)
    if (decoded) this.#buffer.consumeTo(decoded.next)
    return decoded?.value
  }
}
