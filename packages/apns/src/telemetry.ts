import { channel } from 'node:diagnostics_channel'
import type { Environment } from '@carillon/wire'
import type { PendingPush } from './pending-push.ts'
import type { PushResult } from './result.ts'

/**
 * Names of the `node:diagnostics_channel` channels that clients publish to. No message holds a device token, a
 * provider token, a key or a password.
 */
export const diagnosticsChannels = {
  /** {@link PushDone}, once for each push that was queued. */
  push: 'carillon:apns:push',
  /** {@link PushRetry}, for each pause before a further attempt. */
  retry: 'carillon:apns:retry',
  /** {@link ConnectionChange}, when a connection is opened, ready, going away, closed or failed. */
  connection: 'carillon:apns:connection',
} as const

/** Which client speaks. */
export interface ClientName {
  readonly environment: Environment
  readonly host: string
  readonly port: number
}

/** A push has its result. */
export interface PushDone extends ClientName {
  readonly topic: string
  readonly pushType: string
  readonly result: PushResult
  /** Milliseconds from `send` to the result. */
  readonly totalMs: number
  /** Milliseconds from the opening of the last stream to the result; undefined where none was opened. */
  readonly roundTripMs: number | undefined
}

/** A push will be sent again. */
export interface PushRetry extends ClientName {
  readonly apnsId: string
  readonly reason: string
  readonly attempts: number
  readonly delayMs: number
}

/** Something happened to a connection. */
export interface ConnectionChange extends ClientName {
  readonly change: 'opening' | 'ready' | 'goaway' | 'closed' | 'failed'
  /** Why, where there is a reason: of a GOAWAY, of an end. */
  readonly message: string
}

const pushes = channel(diagnosticsChannels.push)
const retries = channel(diagnosticsChannels.retry)
const connections = channel(diagnosticsChannels.connection)

/** Publishes what one client does. Makes no message where nobody listens. */
export class Telemetry {
  readonly #name: ClientName

  constructor(name: ClientName) {
    this.#name = name
  }

  /** Whether `done` is worth calling. */
  get tellsPushes(): boolean {
    return pushes.hasSubscribers
  }

  done(push: PendingPush, result: PushResult, now: number): void {
    const { topic, pushType, queuedAt, openedAt } = push
    const roundTripMs = openedAt === 0 ? undefined : now - openedAt
    pushes.publish({
      ...this.#name,
      topic,
      pushType,
      result,
      totalMs: now - queuedAt,
      roundTripMs,
    } satisfies PushDone)
  }

  retry({ apnsId, requests }: PendingPush, reason: string, delayMs: number): void {
    if (!retries.hasSubscribers) return
    retries.publish({ ...this.#name, apnsId, reason, attempts: requests, delayMs } satisfies PushRetry)
  }

  connection(change: ConnectionChange['change'], message = ''): void {
    if (!connections.hasSubscribers) return
    connections.publish({ ...this.#name, change, message } satisfies ConnectionChange)
  }
}
