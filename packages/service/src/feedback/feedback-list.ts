import type { Database } from '@carillon/database'
import { limits } from '../limits.ts'
import type { TokenRecord } from '../registry/registry.ts'

/** A token whose app is gone. */
export interface GoneToken {
  /** Its place in the list; places only grow. */
  readonly place: number
  readonly token: Uint8Array
  /** When the service knew, in milliseconds since the epoch. */
  readonly inactiveSinceMs: number
}

/**
 * The tokens that feedback clients are still to be told of, on disk. The registry lists a token in the same
 * transaction in which it becomes inactive.
 */
export interface FeedbackList {
  /** The place of the newest entry, 0 where there is none; waits for what is being cleared. */
  lastPlace(): Promise<number>
  /**
   * Entries of a topic in order, from behind one place through another; tokens that are active again are left out.
   * Fewer than `feedbackPageRowsMax` are the last ones.
   */
  read(topic: string, afterPlace: number, throughPlace: number): Promise<GoneToken[]>
  /** Takes out what a client has got; resolves when that is on disk. */
  clear(topics: readonly string[], throughPlace: number): Promise<void>
  /**
   * Somebody still sends to a token that became inactive before: it is told once more. `done` when that is on disk,
   * or could not be written.
   */
  listAgain(token: Pick<TokenRecord, 'tokenBytes' | 'inactiveSinceMs'>, done: () => void): void
}

/** Written beside whatever makes a token inactive. Parameters: the token, and its new `inactive_since`. */
export const listGoneTokenSql = `INSERT INTO feedback (token, topic)
  SELECT token, topic FROM tokens WHERE token = ? AND inactive_since = ? ON CONFLICT (token) DO NOTHING`

export interface FeedbackListOptions {
  /** Open, with the migrations of this package applied. */
  readonly database: Database
  readonly onTrouble: (sentence: string, cause: unknown) => void
}

export function openFeedbackList(options: FeedbackListOptions): FeedbackList {
  return new DatabaseFeedbackList(options)
}

class DatabaseFeedbackList implements FeedbackList {
  readonly #options: FeedbackListOptions
  readonly #statements
  /** A client that comes back at once must not read what it has just cleared. */
  #clearing: Promise<unknown> = Promise.resolve()

  constructor(options: FeedbackListOptions) {
    this.#options = options
    this.#statements = prepare(options.database)
  }

  async lastPlace(): Promise<number> {
    await this.#clearing
    const row = await this.#options.database.get(this.#statements.last)
    return Number(row?.last ?? 0)
  }

  async read(topic: string, afterPlace: number, throughPlace: number): Promise<GoneToken[]> {
    const rows = await this.#options.database.all(this.#statements.read, [topic, afterPlace, throughPlace])
    return rows.map((row) => ({
      place: Number(row.seq),
      token: row.token as Uint8Array,
      inactiveSinceMs: Number(row.inactive_since),
    }))
  }

  clear(topics: readonly string[], throughPlace: number): Promise<void> {
    const clearing = this.#clear(topics, throughPlace)
    const before = this.#clearing
    // Whether it could be cleared is told to the caller.
    this.#clearing = clearing.catch(() => undefined).then(() => before)
    return clearing
  }

  listAgain(
    { tokenBytes, inactiveSinceMs }: Pick<TokenRecord, 'tokenBytes' | 'inactiveSinceMs'>,
    done: () => void,
  ): void {
    this.#options.database.write(this.#statements.list, [tokenBytes, inactiveSinceMs], (error) => {
      // The next push to this token lists it as well.
      if (error !== undefined)
        this.#options.onTrouble('A token whose app is gone could not be listed for feedback.', error)
      done()
    })
  }

  /** In several commits, so that a long list does not hold up others: what a crash leaves is told once more. */
  async #clear(topics: readonly string[], throughPlace: number): Promise<void> {
    const { database } = this.#options
    for (const topic of topics) {
      let cleared: number
      do {
        cleared = await database.run(this.#statements.clear, [topic, throughPlace])
      } while (cleared === limits.feedbackClearedRowsMax)
    }
  }
}

function prepare(database: Database) {
  return {
    last: database.prepare('SELECT max(seq) AS last FROM feedback'),
    // No token becomes active again today; should one, then there is nothing to tell of it.
    read: database.prepare(
      `SELECT listed.seq, listed.token, tokens.inactive_since
       FROM feedback AS listed JOIN tokens ON tokens.token = listed.token
       WHERE listed.topic = ? AND listed.seq > ? AND listed.seq <= ? AND tokens.inactive_since > 0
       ORDER BY listed.seq LIMIT ${limits.feedbackPageRowsMax}`,
    ),
    list: database.prepare(listGoneTokenSql),
    clear: database.prepare(
      `DELETE FROM feedback WHERE seq IN (SELECT seq FROM feedback WHERE topic = ? AND seq <= ?
       ORDER BY seq LIMIT ${limits.feedbackClearedRowsMax})`,
    ),
  }
}
