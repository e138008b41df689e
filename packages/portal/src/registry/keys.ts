import { createPublicKey } from 'node:crypto'
import { PortalError } from '../errors.ts'
import { limits } from '../limits.ts'
import {
  type AuthKey,
  type IssuedKey,
  type KeyOperations,
  type KeyRequest,
  keyEnvironments,
} from '../operations.ts'
import { makeKey, privateKeyPem, publicKeyPem } from '../pki/key.ts'
import { checkBundleId, checkName, checkRoom, checkWord, requestInvalid } from './checks.ts'
import type { RegistryContext } from './context.ts'
import { makeId } from './ids.ts'

/** Auth keys: P-256 key pairs for provider tokens, of which the portal keeps the public half. */
export function keyOperations(context: RegistryContext): KeyOperations {
  const { database, memory, now } = context
  const insert = database.prepare(
    `INSERT INTO auth_keys (key_id, name, environment, topics, created_at, public_key_pem, related_key_id)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  )
  const revoke = database.prepare(
    'UPDATE auth_keys SET revoked_at = ? WHERE key_id = ? AND revoked_at IS NULL',
  )

  /** Keys to which a related one is being made. */
  const relating = new Set<string>()

  /** @param request checked before */
  async function make(request: KeyRequest): Promise<IssuedKey> {
    checkRoom(memory.keys.size, limits.keysMax, 'KEY_LIMIT', 'auth keys')
    const pair = await makeKey('p256')
    const { relatedKeyId } = request
    const key: AuthKey = {
      keyId: makeId(context.random),
      teamId: context.team.teamId,
      name: request.name,
      environment: request.environment ?? 'all',
      scope: request.topics === undefined ? 'team' : 'topics',
      topics: request.topics ?? [],
      ...(relatedKeyId === undefined ? {} : { relatedKeyId }),
      status: 'active',
      createdAt: now(),
      publicKeyPem: publicKeyPem(pair),
    }
    const topics = request.topics === undefined ? null : JSON.stringify(request.topics)
    const { keyId, name, environment, createdAt } = key
    const related = relatedKeyId ?? null
    await database.run(insert, [keyId, name, environment, topics, createdAt, key.publicKeyPem, related])
    memory.keys.set(key.keyId, key)
    memory.publicKeys.set(key.keyId, createPublicKey(key.publicKeyPem))
    context.changed({ type: 'key', keyId: key.keyId, status: 'active' })
    return { ...key, privateKeyPem: privateKeyPem(pair) }
  }

  return {
    async create(wanted) {
      const request = { ...wanted, name: checkName(wanted.name, 'key') }
      checkWord(keyEnvironments, request.environment, 'environment of a key')
      checkTopics(request)
      const { relatedKeyId } = request
      if (relatedKeyId === undefined) return make(request)
      if (relating.has(relatedKeyId)) throw alreadyRelated(relatedKeyId)
      checkRelated(request, find(context, relatedKeyId))
      relating.add(relatedKeyId)
      try {
        const key = await make(request)
        memory.keys.set(relatedKeyId, { ...find(context, relatedKeyId), relatedKeyId: key.keyId })
        context.changed({ type: 'key', keyId: relatedKeyId, status: find(context, relatedKeyId).status })
        return key
      } finally {
        relating.delete(relatedKeyId)
      }
    },

    async list() {
      return [...memory.keys.values()].sort(
        (a, b) => b.createdAt - a.createdAt || (a.keyId < b.keyId ? -1 : 1),
      )
    },

    async get(keyId) {
      return find(context, keyId)
    },

    async revoke(keyId) {
      const key = find(context, keyId)
      if (key.status === 'revoked') return key
      const revoked: AuthKey = { ...key, status: 'revoked', revokedAt: now() }
      const changes = await database.run(revoke, [revoked.revokedAt ?? null, keyId])
      // Another one was quicker: its time is on disk.
      if (changes === 0) return find(context, keyId)
      memory.keys.set(keyId, revoked)
      context.changed({ type: 'key', keyId, status: 'revoked' })
      return revoked
    },
  }
}

function checkTopics({ topics }: KeyRequest): void {
  if (topics === undefined) return
  if (topics.length === 0 || topics.length > limits.topicsPerKeyMax) {
    throw requestInvalid(
      `A key for topics names 1 to ${limits.topicsPerKeyMax} of them, not ${topics.length}.`,
      'Leave the topics out for a key of the whole team.',
    )
  }
  for (const topic of topics) checkBundleId(topic)
}

/** Apple: "Establishing a token-based connection to APNs": a key for topics may have one related key. */
function checkRelated(request: KeyRequest, other: AuthKey): void {
  if (request.topics === undefined || other.scope === 'team') {
    throw requestInvalid('Only keys for topics have a related key.', 'Name the topics of both keys.')
  }
  if (other.environment !== (request.environment ?? 'all')) {
    throw requestInvalid(
      `The key "${other.keyId}" is for the environment "${other.environment}", and a related key is for the same one.`,
      `Make the new key for "${other.environment}".`,
    )
  }
  if (other.status === 'revoked') {
    throw requestInvalid(`The key "${other.keyId}" is revoked.`, 'Relate the new key to one that is active.')
  }
  if (other.relatedKeyId !== undefined) throw alreadyRelated(other.keyId)
}

function alreadyRelated(keyId: string): PortalError {
  return requestInvalid(
    `The key "${keyId}" has a related key, and only one is possible.`,
    'Relate the new key to another one.',
  )
}

function find({ memory }: RegistryContext, keyId: string): AuthKey {
  const key = memory.keys.get(keyId)
  if (key !== undefined) return key
  throw new PortalError(
    'KEY_UNKNOWN',
    `This portal has no auth key with the id "${keyId}".`,
    'List them: carillon portal key list',
  )
}
