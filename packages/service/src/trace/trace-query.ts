import { stageNumbers } from './stages.ts'
import type { BlockHeader, TraceSubject } from './trace-block.ts'
import { idBytes, recordAt, recordFlags, tokenBytesMax } from './trace-record.ts'

/** What a search looks for; all that is given must hold. */
export interface TraceQuery {
  /** 16 bytes. */
  readonly apnsId?: Uint8Array | undefined
  /** 16 bytes: the id beside it in the records of `received` and `replaced`. */
  readonly otherId?: Uint8Array | undefined
  /** 32 bytes. */
  readonly token?: Uint8Array | undefined
  /** 16 bytes: the channel of a broadcast. */
  readonly channelId?: Uint8Array | undefined
  readonly topic?: string | undefined
  readonly app?: string | undefined
  /** Numbers of stages. */
  readonly stages?: ReadonlySet<number> | undefined
  readonly fromMs?: number | undefined
  /** Exclusive. */
  readonly toMs?: number | undefined
}

/** Looks at records as bytes, so that those that do not match cost next to nothing. */
export class RecordMatcher {
  readonly #query: TraceQuery
  /** By the number of the stage. */
  readonly #stages: readonly boolean[] | undefined
  readonly #wantsLost: boolean
  /** By the number of the subject in the block at hand; undefined where any will do. */
  #subjects: boolean[] | undefined

  constructor(query: TraceQuery) {
    this.#query = query
    this.#wantsLost = query.stages?.has(stageNumbers.lost) ?? false
    if (query.stages !== undefined) {
      const wanted: boolean[] = new Array(256).fill(false)
      for (const stage of query.stages) wanted[stage] = true
      this.#stages = wanted
    }
  }

  /** The ids by which a segment's filter can be asked. */
  get keys(): readonly Uint8Array[] {
    const { apnsId, otherId, token, channelId } = this.#query
    return [apnsId, otherId, token, channelId].filter((key) => key !== undefined)
  }

  /** False where nothing between these times can match. */
  mayMatchTimes({ minMs, maxMs }: { readonly minMs: number; readonly maxMs: number }): boolean {
    const { fromMs = 0, toMs = Number.POSITIVE_INFINITY } = this.#query
    return maxMs >= fromMs && minMs < toMs
  }

  /** Begins with a block; false where none of its records can match. */
  begin(header: BlockHeader, subjects: readonly TraceSubject[]): boolean {
    if (!this.mayMatchTimes(header)) return false
    const { topic, app } = this.#query
    this.#subjects = undefined
    if (topic === undefined && app === undefined) return true
    const fits = (subject: TraceSubject) =>
      (topic === undefined || subject.topic === topic) && (app === undefined || subject.app === app)
    this.#subjects = subjects.map(fits)
    return this.#wantsLost || this.#subjects.includes(true)
  }

  /** Whether the record at `offset` of the block at hand matches. */
  matches(bytes: Uint8Array, offset: number): boolean {
    const { apnsId, otherId, token, channelId, fromMs, toMs } = this.#query
    const stage = bytes[offset + recordAt.stage]!
    if (this.#stages !== undefined && !this.#stages[stage]) return false
    // What is missing may have been anybody's.
    if (stage === stageNumbers.lost && this.#wantsLost) return true
    if (apnsId !== undefined && !isAt(bytes, offset + recordAt.apnsId, apnsId, idBytes)) return false
    if (otherId !== undefined && !isAt(bytes, offset + recordAt.otherId, otherId, idBytes)) return false
    if (token !== undefined && !isAt(bytes, offset + recordAt.token, token, tokenBytesMax)) return false
    if (channelId !== undefined && !isOfChannel(bytes, offset, channelId)) return false
    if (this.#subjects !== undefined) {
      const at = offset + recordAt.subject
      if (!this.#subjects[(bytes[at]! << 8) | bytes[at + 1]!]) return false
    }
    if (fromMs === undefined && toMs === undefined) return true
    const atMs = timeAt(bytes, offset)
    return atMs >= (fromMs ?? 0) && atMs < (toMs ?? Number.POSITIVE_INFINITY)
  }
}

function isOfChannel(bytes: Uint8Array, offset: number, channelId: Uint8Array): boolean {
  const isBroadcast = (bytes[offset + recordAt.flags]! & recordFlags.broadcast) !== 0
  return isBroadcast && isAt(bytes, offset + recordAt.token, channelId, idBytes)
}

function isAt(bytes: Uint8Array, offset: number, wanted: Uint8Array, length: number): boolean {
  for (let index = 0; index < length; index++) if (bytes[offset + index] !== wanted[index]) return false
  return true
}

function timeAt(bytes: Uint8Array, offset: number): number {
  let ms = 0
  for (let index = 0; index < 6; index++) ms = ms * 256 + bytes[offset + index]!
  return ms
}
