import type { Database } from '@carillon/database'
import { recordHeadBytes } from './message-record.ts'

/** What a deletion tells of what it deleted: all but most of the payload, and what its caller knows. */
const head = `substr(record, 1, ${recordHeadBytes}) AS head`
const removed = `RETURNING seq, expires, ${head}`

/** Every statement of the message store. */
export function prepareStatements(database: Pick<Database, 'prepare'>) {
  return {
    insert: database.prepare(
      `INSERT INTO messages (seq, device, app, collapse_id, inbox, expires, record) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
    // The most frequent replacement of all: RETURNING costs SQLite more than to look first and delete then.
    waiting: database.prepare(
      `SELECT seq, expires, ${head} FROM messages WHERE device = ? AND app = ? AND inbox > 0`,
    ),
    replaceOne: database.prepare('DELETE FROM messages WHERE device = ? AND app = ? AND inbox > 0'),
    // What was put on the wire meanwhile is out of the rule's reach.
    replaceKnown: database.prepare('DELETE FROM messages WHERE seq = ? AND inbox > 0'),
    replaceOneOrCollapsed: database.prepare(
      `DELETE FROM messages WHERE device = ? AND app = ? AND (inbox > 0 OR collapse_id = ?) ${removed}`,
    ),
    collapse: database.prepare(
      `DELETE FROM messages WHERE device = ? AND app = ? AND collapse_id = ? ${removed}`,
    ),
    // Room for one more: of those that still count, the newest stay, the one after them and all older ones go.
    trimQueue: database.prepare(
      `DELETE FROM messages WHERE device = ? AND app = ? AND inbox > 0 AND seq <= (
         SELECT seq FROM messages WHERE device = ? AND app = ? AND inbox > 0 AND expires > ?
         ORDER BY seq DESC LIMIT 1 OFFSET ?) ${removed}`,
    ),
    removeOne: database.prepare('DELETE FROM messages WHERE seq = ?'),
    protect: database.prepare('UPDATE messages SET inbox = 0 WHERE seq = ?'),
    // The places come from the index alone, so that only the rows of this page are looked at.
    read: database.prepare(
      `SELECT seq, device, app, collapse_id, inbox, expires, record FROM messages
       WHERE seq IN (
         SELECT seq FROM messages WHERE device = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?)
       ORDER BY seq`,
    ),
    sweepEnd: database.prepare(
      `SELECT max(seq) AS "end" FROM (SELECT seq FROM messages WHERE seq > ? ORDER BY seq LIMIT ?) AS piece`,
    ),
    sweep: database.prepare(
      `DELETE FROM messages WHERE seq > ? AND seq <= ? AND expires <= ? ${removed}, device, app`,
    ),
  }
}
