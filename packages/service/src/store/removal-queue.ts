import type { Database, Statement } from '@carillon/database'
import { limits } from '../limits.ts'

/** Several deletions in one statement cost less than several statements. */
const seqsPerStatement = 16

/**
 * Messages to be deleted. They wait for the next write or tick, so that an acknowledgement never costs a
 * commit of its own; until they are gone from the disk, `has` tells readers to leave them out.
 */
export class RemovalQueue {
  readonly #database: Pick<Database, 'prepare' | 'write'>
  readonly #deleteOne: Statement
  readonly #deleteMany: Statement
  readonly #gone = new Set<number>()
  readonly #gathered: number[] = []
  /** Confirmed while a read was under way, which may still have seen them. */
  readonly #justGone: number[] = []
  #readsUnderWay = 0
  #unitsUnderWay = 0
  #whenIdle: (() => void)[] = []

  constructor(database: Pick<Database, 'prepare' | 'write'>) {
    this.#database = database
    this.#deleteOne = database.prepare('DELETE FROM messages WHERE seq = ?')
    const marks = new Array(seqsPerStatement).fill('?').join(', ')
    this.#deleteMany = database.prepare(`DELETE FROM messages WHERE seq IN (${marks})`)
  }

  add(seq: number): void {
    if (this.#gone.size >= limits.removalsWaitingMax) return
    this.#gone.add(seq)
    this.#gathered.push(seq)
    if (this.#gathered.length >= limits.removalsGatheredMax) this.flush()
  }

  has(seq: number): boolean {
    return this.#gone.has(seq)
  }

  /** Something else has deleted it: reads that are under way may still have seen it. */
  wasDeleted(seq: number): void {
    if (this.#readsUnderWay === 0) return
    this.#gone.add(seq)
    this.#justGone.push(seq)
  }

  readBegins(): void {
    this.#readsUnderWay++
  }

  readEnds(): void {
    if (--this.#readsUnderWay > 0) return
    for (const seq of this.#justGone.splice(0)) this.#gone.delete(seq)
  }

  /** Called where something else is written anyway: the commit that comes takes the deletions along. */
  flushBehindWrite(): void {
    if (this.#gathered.length >= seqsPerStatement) this.flush()
  }

  /** Hands gathered deletions to the database: a bounded number, for a database that fails gets them again and again. */
  flush(countMax: number = limits.removalsGatheredMax): void {
    if (this.#gathered.length === 0) return
    const seqs = this.#gathered.splice(-countMax)
    let offset = 0
    for (; offset + seqsPerStatement <= seqs.length; offset += seqsPerStatement) {
      this.#write(this.#deleteMany, seqs.slice(offset, offset + seqsPerStatement))
    }
    for (; offset < seqs.length; offset++) this.#write(this.#deleteOne, [seqs[offset]!])
  }

  /** Resolves when every deletion that was handed to the database is confirmed. */
  async whenIdle(): Promise<void> {
    if (this.#unitsUnderWay > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve))
  }

  #write(statement: Statement, seqs: number[]): void {
    this.#unitsUnderWay++
    this.#database.write(statement, seqs, (error) => {
      if (error === undefined) this.#forget(seqs)
      // Busy, or a full disk: the next write or tick tries again; until then they stay marked and are not sent.
      else if (error.code !== 'DATABASE_CLOSED') this.#gathered.push(...seqs)
      if (--this.#unitsUnderWay > 0) return
      for (const resume of this.#whenIdle.splice(0)) resume()
    })
  }

  #forget(seqs: readonly number[]): void {
    if (this.#readsUnderWay > 0) this.#justGone.push(...seqs)
    else for (const seq of seqs) this.#gone.delete(seq)
  }
}
