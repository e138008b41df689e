import { createHash } from 'node:crypto'
import { DatabaseError } from '@carillon/database'
import { apnsIdOf } from '@carillon/wire'
import type { Dispatcher } from '../dispatch/dispatcher.ts'
import type { MessageCache } from '../dispatch/message-cache.ts'
import { ProviderError } from '../provider-error.ts'
import type { AppRegistry } from '../registry/app-registry.ts'
import type { DeviceRegistry } from '../registry/device-registry.ts'
import { composeMessage } from './compose-message.ts'
import type { Message } from './message.ts'
import type { MessageRequest } from './message-request.ts'
import type { Idempotency, Outbox } from './outbox.ts'
import { resolveRecipients } from './resolve-recipients.ts'

/** What accepting needs. */
export interface AcceptWorld {
  readonly apps: AppRegistry
  readonly devices: DeviceRegistry
  readonly outbox: Outbox
  readonly messages: MessageCache
  readonly dispatcher: Dispatcher
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
}

/**
 * Takes a message over: when the id comes back it is on disk and will be sent. The message of one recipient has
 * the apns-id as its id.
 */
export async function acceptMessage(
  request: MessageRequest,
  idempotencyKey: string | undefined,
  world: AcceptWorld,
): Promise<string> {
  const idempotency = idempotencyOf(request, idempotencyKey)
  const before = await acceptedBefore(idempotency, world.outbox)
  if (before !== undefined) return before
  const now = world.now()
  const { bundleId, recipients } = await resolveRecipients(request, world)
  const id = recipients.length === 1 ? recipients[0]!.apnsId : apnsIdOf(world.random(16))
  const message: Message = { id, bundleId, createdAt: now, ...composeMessage(request, bundleId, now) }
  try {
    await world.outbox.accept(message, recipients, idempotency)
  } catch (error) {
    return await afterConflict(error, request, idempotency, world.outbox)
  }
  world.messages.put(message)
  for (const environment of new Set(recipients.map((recipient) => recipient.environment))) {
    world.dispatcher.wake(bundleId, environment)
  }
  return id
}

function idempotencyOf(request: MessageRequest, key: string | undefined): Idempotency | undefined {
  if (key === undefined) return undefined
  // Of the request as it was understood, so that white space does not matter.
  return { key, requestHash: createHash('sha256').update(JSON.stringify(request)).digest() }
}

async function acceptedBefore(
  idempotency: Idempotency | undefined,
  outbox: Outbox,
): Promise<string | undefined> {
  if (idempotency === undefined) return undefined
  const before = await outbox.byIdempotencyKey(idempotency.key)
  if (before === undefined) return undefined
  if (Buffer.compare(before.requestHash, idempotency.requestHash) === 0) return before.id
  throw new ProviderError(
    'IDEMPOTENCY_CONFLICT',
    'This Idempotency-Key was used for another message before; use a new key for each message.',
  )
}

/** The same request at the same moment, or an apns-id that was used before. */
async function afterConflict(
  error: unknown,
  request: MessageRequest,
  idempotency: Idempotency | undefined,
  outbox: Outbox,
): Promise<string> {
  if (!(error instanceof DatabaseError) || error.code !== 'DATABASE_CONSTRAINT') throw error
  const before = await acceptedBefore(idempotency, outbox)
  if (before !== undefined) return before
  if (request.apns?.headers === undefined) throw error
  throw new ProviderError(
    'IDEMPOTENCY_CONFLICT',
    'This apns-id was used for another message before; use a new one.',
  )
}
