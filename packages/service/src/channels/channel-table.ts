import type { Database, Row } from '@carillon/database'
import { encodeChannelId, type MessageStoragePolicy, type Priority } from '@carillon/wire'
import { limits } from '../limits.ts'
import type { Broadcast } from './broadcast.ts'
import { Channel } from './channel.ts'
import { ChannelError } from './channel-error.ts'

/** Channels on disk. What resolves is on disk. */
export class ChannelTable {
  readonly #database: Database
  readonly #statements

  constructor(database: Database) {
    this.#database = database
    this.#statements = prepare(database)
  }

  /** Every channel that exists, each given once; what their apps are allowed is not looked at. */
  async load(take: (channel: Channel) => void): Promise<void> {
    let after: Uint8Array = new Uint8Array(0)
    for (;;) {
      const rows = await this.#database.all(this.#statements.load, [after, pageRows])
      for (const row of rows) take(channelOf(row))
      if (rows.length < pageRows) return
      after = rows.at(-1)!.id as Uint8Array
    }
  }

  /** False where the id was given before: it is not given again. */
  async add(channel: Channel, nowMs: number): Promise<boolean> {
    const { idBytes, app, policy } = channel
    return (await this.#database.run(this.#statements.add, [idBytes, app, policy, nowMs])) === 1
  }

  /** Whether there is, or was, a channel of this id. */
  async isKnown(app: string, idBytes: Uint8Array): Promise<boolean> {
    return (await this.#database.get(this.#statements.find, [idBytes, app])) !== undefined
  }

  /** False where somebody else deleted it first. */
  async remove(channel: Channel, nowMs: number): Promise<boolean> {
    const [removed] = await this.#database.transaction([
      { statement: this.#statements.remove, parameters: [nowMs, channel.idBytes] },
      { statement: this.#statements.dropMessage, parameters: [channel.idBytes] },
    ])
    return removed === 1
  }

  /** Deletes every channel of an app that was written before this call and created until `createdUntilMs`. */
  async removeApp(app: string, nowMs: number, createdUntilMs = Number.MAX_SAFE_INTEGER): Promise<void> {
    await this.#database.transaction([
      { statement: this.#statements.dropMessagesOfApp, parameters: [app, createdUntilMs] },
      { statement: this.#statements.removeApp, parameters: [nowMs, app, createdUntilMs] },
    ])
  }

  /** Takes the place of the channel's message unless that is newer. False where the channel was deleted meanwhile. */
  async keep(broadcast: Broadcast, until: number): Promise<boolean> {
    const { channelId, publishedUs, priority, requestId, payload } = broadcast
    const parameters = [publishedUs, until, priority, requestId, payload, channelId]
    return (await this.#database.run(this.#statements.keep, parameters)) === 1
  }

  /** The message stored for a channel; undefined where it was dropped meanwhile. */
  async read(channel: Channel): Promise<Broadcast | undefined> {
    const row = await this.#database.get(this.#statements.read, [channel.idBytes])
    return row && broadcastOf(row, channel)
  }

  /** Drops messages past their time, and of the channels deleted longest ago those beyond the limit. */
  async sweep(nowMs: number, deletedMax = limits.deletedChannelsMax): Promise<void> {
    await this.#database.run(this.#statements.dropExpired, [Math.floor(nowMs / 1000)])
    const counted = await this.#database.get(this.#statements.countDeleted)
    const excess = Math.min(Number(counted?.deleted ?? 0) - deletedMax, limits.sweptPerTickMax)
    if (excess > 0) await this.#database.run(this.#statements.forget, [excess])
  }
}

/** Rows read at a time at the start. */
const pageRows = 10_000

function prepare(database: Database) {
  const blob = database.engine === 'sqlite' ? 'BLOB' : 'BYTEA'
  const integer = database.engine === 'sqlite' ? 'INTEGER' : 'BIGINT'
  return {
    load: database.prepare(
      `SELECT id, app, policy, published_us, expires FROM channels
       LEFT JOIN channel_messages ON channel = id
       WHERE deleted_at = 0 AND id > ? ORDER BY id LIMIT ?`,
    ),
    add: database.prepare(
      'INSERT INTO channels (id, app, policy, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
    ),
    find: database.prepare('SELECT policy FROM channels WHERE id = ? AND app = ?'),
    remove: database.prepare('UPDATE channels SET deleted_at = ? WHERE id = ? AND deleted_at = 0'),
    removeApp: database.prepare(
      'UPDATE channels SET deleted_at = ? WHERE app = ? AND deleted_at = 0 AND created_at <= ?',
    ),
    // Selected from the channel, so that nothing is stored for one that was deleted on the way to the disk.
    keep: database.prepare(
      `INSERT INTO channel_messages (channel, published_us, expires, priority, request_id, payload)
       SELECT id, CAST(? AS ${integer}), CAST(? AS ${integer}), CAST(? AS ${integer}),
         CAST(? AS ${blob}), CAST(? AS ${blob}) FROM channels WHERE id = ? AND deleted_at = 0
       ON CONFLICT (channel) DO UPDATE SET published_us = excluded.published_us, expires = excluded.expires,
         priority = excluded.priority, request_id = excluded.request_id, payload = excluded.payload`,
    ),
    read: database.prepare(
      'SELECT published_us, expires, priority, request_id, payload FROM channel_messages WHERE channel = ?',
    ),
    dropMessage: database.prepare('DELETE FROM channel_messages WHERE channel = ?'),
    dropMessagesOfApp: database.prepare(
      `DELETE FROM channel_messages WHERE channel IN
       (SELECT id FROM channels WHERE app = ? AND deleted_at = 0 AND created_at <= ?)`,
    ),
    dropExpired: database.prepare('DELETE FROM channel_messages WHERE expires <= ?'),
    countDeleted: database.prepare('SELECT count(*) AS deleted FROM channels WHERE deleted_at > 0'),
    forget: database.prepare(
      `DELETE FROM channels WHERE id IN
       (SELECT id FROM channels WHERE deleted_at > 0 ORDER BY deleted_at LIMIT ?)`,
    ),
  }
}

function channelOf(row: Row): Channel {
  const { id, app, policy, published_us: publishedUs, expires } = row
  if (!(id instanceof Uint8Array) || typeof app !== 'string' || (policy !== 0 && policy !== 1)) {
    throw new ChannelError('CHANNELS_DAMAGED', 'a row of the table channels holds no channel')
  }
  const idBytes = new Uint8Array(id)
  const channel = new Channel(encodeChannelId(idBytes), idBytes, app, policy as MessageStoragePolicy)
  channel.storedUs = Number(publishedUs ?? 0)
  channel.publishedUs = channel.storedUs
  channel.storedUntil = Number(expires ?? 0)
  return channel
}

function broadcastOf(row: Row, channel: Channel): Broadcast {
  const { published_us: publishedUs, expires, priority, request_id: requestId, payload } = row
  if (!(requestId instanceof Uint8Array) || !(payload instanceof Uint8Array)) {
    throw new ChannelError('CHANNELS_DAMAGED', 'a row of the table channel_messages holds no message')
  }
  return {
    app: channel.app,
    channelId: channel.idBytes,
    publishedUs: Number(publishedUs),
    expiration: Number(expires),
    priority: Number(priority) as Priority,
    requestId: new Uint8Array(requestId),
    payload: new Uint8Array(payload),
  }
}
