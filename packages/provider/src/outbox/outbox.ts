import type { Database, DatabaseError, Statement } from '@carillon/database'
import type { Environment, Priority, PushType } from '@carillon/wire'
import { limits } from '../limits.ts'
import type { ClaimedRecipient, Message, NewRecipient, RecipientState, RecipientStatus } from './message.ts'
import { outboxSql } from './outbox-sql.ts'

/** What makes a request recognisable when it is sent again. */
export interface Idempotency {
  readonly key: string
  readonly requestHash: Uint8Array
}

/** What became of one attempt. */
export interface Outcome {
  readonly recipient: ClaimedRecipient
  readonly state: Exclude<RecipientState, 'sending'>
  /** For `waiting`: when the next attempt may start. */
  readonly dueAt: number | undefined
  readonly status: number
  readonly reason: string | undefined
  readonly answeredAt: number
}

interface MessageRow {
  readonly id: string
  readonly bundle_id: string
  readonly topic: string
  readonly push_type: PushType
  readonly priority: Priority
  readonly expiration: number
  readonly collapse_id: string | null
  readonly payload: string
  readonly created_at: number
  readonly expires_at: number
}

interface RecipientRow {
  readonly token: string
  readonly environment: Environment
  readonly apns_id: string
  readonly state: RecipientState
  readonly attempts: number
  readonly status: number | null
  readonly reason: string | null
  readonly answered_at: number | null
  readonly due_at: number | null
}

type OutboxStatements = Record<keyof ReturnType<typeof outboxSql>, Statement>

/** The durable outbox: what was accepted and not yet finished, and the status of what was. */
export class Outbox {
  readonly #database: Database
  readonly #statements: OutboxStatements

  constructor(database: Database) {
    this.#database = database
    const sql = Object.entries(outboxSql(database.engine))
    this.#statements = Object.fromEntries(
      sql.map(([name, text]) => [name, database.prepare(text)]),
    ) as OutboxStatements
  }

  /** Stores a message with its recipients, whole or not at all. Resolves when it is on disk. */
  async accept(
    message: Message,
    recipients: readonly NewRecipient[],
    idempotency: Idempotency | undefined,
  ): Promise<void> {
    const { insertMessage, insertRecipient } = this.#statements
    await this.#database.transaction([
      { statement: insertMessage, parameters: messageParameters(message, idempotency) },
      ...recipients.map((recipient, position) => ({
        statement: insertRecipient,
        parameters: recipientParameters(message, recipient, position),
      })),
    ])
  }

  /** The message that an Idempotency-Key was used for. */
  async byIdempotencyKey(key: string): Promise<{ id: string; requestHash: Uint8Array } | undefined> {
    const row = await this.#database.get<{ id: string; request_hash: Uint8Array }>(this.#statements.byKey, [
      key,
    ])
    return row === undefined ? undefined : { id: row.id, requestHash: row.request_hash }
  }

  /** Takes recipients that are due, in the order of their times, and holds them by lease. */
  async claim(
    bundleId: string,
    environment: Environment,
    owner: string,
    now: number,
    countMax: number,
  ): Promise<ClaimedRecipient[]> {
    const parameters = [owner, now + limits.leaseMs, bundleId, environment, now, countMax]
    const rows = await this.#database.returning<{
      id: number
      message_id: string
      token: string
      apns_id: string
      attempts: number
    }>(this.#statements.claim, parameters)
    return rows.map((row) => ({
      id: row.id,
      messageId: row.message_id,
      token: row.token,
      apnsId: row.apns_id,
      attempts: row.attempts,
    }))
  }

  /** When the next recipient of an app is due; undefined when none waits. */
  async nextDueAt(bundleId: string, environment: Environment): Promise<number | undefined> {
    const row = await this.#database.get<{ due_at: number | null }>(this.#statements.nextDue, [
      bundleId,
      environment,
    ])
    return row?.due_at ?? undefined
  }

  /**
   * Writes what became of an attempt, in the group commit under way. It is ignored when the lease was lost
   * meanwhile: then another attempt is under way, and its outcome counts.
   */
  finish(outcome: Outcome, owner: string, done: (error: DatabaseError | undefined) => void): void {
    const { recipient, state, dueAt, status, reason, answeredAt } = outcome
    const parameters = [state, dueAt ?? null, status, reason ?? null, answeredAt]
    this.#database.write(
      this.#statements.finish,
      [...parameters, recipient.id, owner, recipient.attempts],
      done,
    )
  }

  async message(id: string): Promise<Message | undefined> {
    const row = await this.#database.get<MessageRow>(this.#statements.message, [id])
    return row === undefined ? undefined : toMessage(row)
  }

  async recipients(messageId: string): Promise<RecipientStatus[]> {
    return (await this.#database.all<RecipientRow>(this.#statements.recipients, [messageId])).map(toStatus)
  }

  /**
   * Ends the leases of all owners at once. For the start of a process that has the database to itself: whoever
   * held a lease is gone.
   */
  endLeases(now: number): Promise<number> {
    return this.#database.run(this.#statements.endLeases, [now])
  }

  /** Deletes a step of what was kept long enough; resolves with how many messages it was. */
  sweep(now: number): Promise<number> {
    return this.#database.run(this.#statements.sweep, [now - limits.messageKeptMs, limits.sweptPerStepMax])
  }
}

function messageParameters(message: Message, idempotency: Idempotency | undefined) {
  return [
    message.id,
    message.bundleId,
    message.topic,
    message.pushType,
    message.priority,
    message.expiration,
    message.collapseId ?? null,
    message.payload,
    message.createdAt,
    message.expiresAt,
    idempotency?.key ?? null,
    idempotency?.requestHash ?? null,
  ]
}

function recipientParameters(message: Message, recipient: NewRecipient, position: number) {
  const { token, environment, apnsId, failed } = recipient
  return [
    message.id,
    position,
    token,
    message.bundleId,
    environment,
    apnsId,
    failed === undefined ? 'waiting' : 'failed',
    failed === undefined ? message.createdAt : null,
    failed?.status ?? null,
    failed?.reason ?? null,
    failed === undefined ? null : message.createdAt,
  ]
}

function toMessage(row: MessageRow): Message {
  return {
    id: row.id,
    bundleId: row.bundle_id,
    topic: row.topic,
    pushType: row.push_type,
    priority: row.priority,
    expiration: row.expiration,
    collapseId: row.collapse_id ?? undefined,
    payload: row.payload,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  }
}

function toStatus(row: RecipientRow): RecipientStatus {
  return {
    token: row.token,
    environment: row.environment,
    apnsId: row.apns_id,
    state: row.state,
    attempts: row.attempts,
    status: row.status ?? undefined,
    reason: row.reason ?? undefined,
    answeredAt: row.answered_at ?? undefined,
    nextAttemptAt: row.state === 'waiting' ? (row.due_at ?? undefined) : undefined,
  }
}
