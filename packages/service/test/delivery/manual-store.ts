import type {
  AddDone,
  InboxMessage,
  MessageStore,
  StoredPage,
  StoreListener,
  StoreTicket,
} from '../../src/store/message-store.ts'
import type { StoredMessage } from '../../src/store/stored-message.ts'

/**
 * A message store in memory whose commits and reads happen when the test says so: to put an acknowledgement
 * before, into and behind a commit.
 */
export class ManualStore implements MessageStore {
  lastSeq = 0
  isFull = false
  listener: StoreListener | undefined
  readonly rows = new Map<number, InboxMessage>()
  readonly calls: string[] = []
  #gathered: { ticket: number; apply: () => void; done: AddDone }[] = []
  #committing: { apply: () => void; done: AddDone }[] = []
  #reads: (() => void)[] = []
  #lastTicket = 0

  nextSeq(): number {
    return ++this.lastSeq
  }

  addSent(message: StoredMessage, done: AddDone): StoreTicket {
    return this.#gather(() => this.rows.set(message.seq, { ...message, inboxMax: 0 }), done)
  }

  addToInbox(message: StoredMessage, inboxMax: number, done: AddDone): StoreTicket {
    return this.#gather(() => {
      const older = this.#inOrder().filter((row) => row.inboxMax > 0 && row.app === message.app)
      for (const row of older.slice(0, Math.max(0, older.length - inboxMax + 1))) this.rows.delete(row.seq)
      this.rows.set(message.seq, { ...message, inboxMax })
    }, done)
  }

  cancel(ticket: StoreTicket): boolean {
    const at = this.#gathered.findIndex((unit) => unit.ticket === ticket)
    if (at < 0) return false
    this.#gathered.splice(at, 1)
    this.calls.push('cancel')
    return true
  }

  protect(messages: readonly StoredMessage[]): void {
    for (const { seq } of messages) {
      const row = this.rows.get(seq)
      if (row !== undefined) this.rows.set(seq, { ...row, inboxMax: 0 })
    }
  }

  remove(seq: number): void {
    this.calls.push(`remove ${seq}`)
    // As the real one: a removal that finds no room waits until there is some.
    const wasFull = this.isFull
    this.isFull = false
    this.#gather(
      () => this.rows.delete(seq),
      () => {},
    )
    this.isFull = wasFull
  }

  removeExpired(message: StoredMessage): void {
    const row = this.rows.get(message.seq)
    this.remove(message.seq)
    if (row !== undefined) this.listener?.expired(message)
  }

  read(device: number, afterSeq: number, throughSeq: number): Promise<StoredPage> {
    return new Promise((resolve) =>
      this.#reads.push(() => {
        this.commit()
        const messages = this.#inOrder().filter(
          (row) => row.device === device && row.seq > afterSeq && row.seq <= throughSeq,
        )
        resolve({ messages, hasMore: false, throughSeq })
      }),
    )
  }

  tick(): void {}

  async close(): Promise<void> {}

  /** A commit takes what has gathered. */
  beginCommit(): void {
    // One commit at a time: the next one begins when the one before is on disk.
    this.endCommit()
    this.#committing = this.#gathered
    this.#gathered = []
  }

  /** The commit that was begun is on disk, or lost. */
  endCommit(outcome: 'stored' | 'failed' = 'stored'): void {
    for (const { apply, done } of this.#committing.splice(0)) {
      if (outcome === 'stored') apply()
      done(outcome)
    }
  }

  commit(): void {
    this.beginCommit()
    this.endCommit()
  }

  /** The process is killed: what had not been committed never was, and nobody hears of it. */
  crash(): void {
    this.#gathered = []
    this.#committing = []
    this.#reads = []
  }

  /** Answers the reads that wait, in this state of the store. */
  async answerReads(): Promise<void> {
    for (const answer of this.#reads.splice(0)) answer()
    // The reader hears of it in a microtask of its own.
    await Promise.resolve()
    await Promise.resolve()
  }

  get waitingReads(): number {
    return this.#reads.length
  }

  /** By place, as the database reads them: a message whose write waited for an acknowledgement was added late. */
  #inOrder(): InboxMessage[] {
    return [...this.rows.values()].sort((left, right) => left.seq - right.seq)
  }

  #gather(apply: () => void, done: AddDone): StoreTicket {
    if (this.isFull) return 0
    this.#gathered.push({ ticket: ++this.#lastTicket, apply, done })
    return this.#lastTicket
  }
}
