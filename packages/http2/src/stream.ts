import type { HeaderList } from './types.ts'

const NO_HEADERS: HeaderList = []
export const EMPTY_BODY: Buffer = Buffer.alloc(0)

/** One open stream: a plain record, the only object that the engine makes per request. */
export class Stream<C> {
  readonly id: number
  context: C
  /** The headers of the request (server) or of the answer (client), once they are here. */
  headers: HeaderList = NO_HEADERS
  /** `:status` of the answer (client), 0 before. */
  status = 0
  /** The peer has sent END_STREAM. */
  remoteClosed = false
  /** We have sent END_STREAM, or hold a body that ends with it. */
  localClosed = false
  /** The handler was called for this request (server). */
  delivered = false
  /** What still arrives is thrown away: the answer went out before the request was whole. */
  discarding = false
  /** The request is HEAD (client): the answer has no body whatever content-length says. */
  head = false
  /** Bytes the peer may still send on this stream, and what it announced by content-length (-1: nothing). */
  receiveWindow: number
  contentLength = -1
  bodyLength = 0
  body: Buffer = EMPTY_BODY
  /** Bytes of memory that count for this stream's unfinished body. */
  gathered = 0
  /** Bytes we may send on this stream. */
  sendWindow: number
  /** Body not sent yet for want of window, from `heldAt` on. */
  held: Uint8Array | undefined = undefined
  heldAt = 0
  /** Milliseconds; and where in the output its first byte is (client). */
  openedAt: number
  outputAt = 0

  constructor(id: number, context: C, receiveWindow: number, sendWindow: number, openedAt: number) {
    this.id = id
    this.context = context
    this.receiveWindow = receiveWindow
    this.sendWindow = sendWindow
    this.openedAt = openedAt
  }
}

const FIRST_PLACES = 16
const PLACES_MAX = 1024

/**
 * Open streams by id. Ids come in order and most streams are short, so a ring indexed by the low bits of the
 * id nearly always has its place free; a stream that finds it taken goes to a Map.
 */
export class StreamTable<C> {
  count = 0
  #places: (Stream<C> | undefined)[] = new Array(FIRST_PLACES).fill(undefined)
  #mask = FIRST_PLACES - 1
  readonly #others = new Map<number, Stream<C>>()

  get(id: number): Stream<C> | undefined {
    const stream = this.#places[(id >>> 1) & this.#mask]
    if (stream !== undefined && stream.id === id) return stream
    return this.#others.size === 0 ? undefined : this.#others.get(id)
  }

  add(stream: Stream<C>): void {
    this.count += 1
    let place = (stream.id >>> 1) & this.#mask
    while (this.#places[place] !== undefined) {
      if (this.#mask + 1 >= PLACES_MAX || this.count * 4 < this.#mask) {
        this.#others.set(stream.id, stream)
        return
      }
      this.#double()
      place = (stream.id >>> 1) & this.#mask
    }
    this.#places[place] = stream
  }

  remove(stream: Stream<C>): void {
    const place = (stream.id >>> 1) & this.#mask
    if (this.#places[place] === stream) this.#places[place] = undefined
    else if (!this.#others.delete(stream.id)) return
    this.count -= 1
  }

  /** All open streams, in the order of their ids. */
  all(): Stream<C>[] {
    const streams = this.#places.filter((stream) => stream !== undefined)
    streams.push(...this.#others.values())
    return streams.sort((a, b) => a.id - b.id)
  }

  clear(): void {
    this.count = 0
    this.#places = new Array(FIRST_PLACES).fill(undefined)
    this.#mask = FIRST_PLACES - 1
    this.#others.clear()
  }

  /** Lets the room of a busy time go. */
  trim(): void {
    if (this.count === 0 && this.#mask >= FIRST_PLACES) this.clear()
  }

  #double(): void {
    const old = this.#places
    this.#mask = old.length * 2 - 1
    this.#places = new Array(old.length * 2).fill(undefined)
    // Places were unique under the smaller mask, so they are under the larger.
    for (const stream of old) if (stream !== undefined) this.#places[(stream.id >>> 1) & this.#mask] = stream
  }
}

/** How a stream came to its end. */
export const Closed = {
  /** Never seen as far as is remembered. */
  UNKNOWN: 0,
  /** Both ends sent END_STREAM, or the peer reset it. */
  ENDED: 1,
  /** We sent RST_STREAM: what the peer had under way is ignored (RFC 9113 §5.1). */
  RESET_BY_US: 2,
} as const

const REMEMBERED = 512
const ID_SPAN = REMEMBERED * 2

/** How the last streams ended; older ones are forgotten. */
export class ClosedStreams {
  readonly #ids = new Uint32Array(REMEMBERED)
  readonly #how = new Uint8Array(REMEMBERED)

  note(id: number, how: number): void {
    const place = (id >>> 1) % REMEMBERED
    // A long-lived stream that ends late must not push out a newer one.
    if (this.#ids[place]! > id) return
    this.#ids[place] = id
    this.#how[place] = how
  }

  how(id: number): number {
    const place = (id >>> 1) % REMEMBERED
    return this.#ids[place] === id ? this.#how[place]! : Closed.UNKNOWN
  }

  /** Whether an id is so far behind `newest` that its end may be forgotten. */
  mayBeForgotten(id: number, newest: number): boolean {
    return newest - id >= ID_SPAN
  }
}
