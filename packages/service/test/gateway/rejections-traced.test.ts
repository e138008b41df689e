import { afterEach, expect, test } from 'vitest'
import { type RejectedPush, untraced } from '../../src/trace/trace.ts'
import { bundleId } from '../memory-authority.ts'
import { GatewayWorld, payload, token } from './gateway-world.ts'

let world: GatewayWorld
afterEach(() => world.stop())

test('each push that is not accepted is told to the trace, with what its request said and its answer', async () => {
  const told: RejectedPush[] = []
  const trace = { ...untraced, rejected: (push: RejectedPush) => void told.push(push) }
  world = await GatewayWorld.start({ trace })
  const provider = await world.provider()
  const apnsId = 'eabeae54-14a8-11e5-b60b-1697f925ec7b'
  const named = { ...world.headers(), 'apns-id': apnsId }
  const gone = 'ef'.repeat(32)
  world.addToken(gone, { inactiveSinceMs: 1 })

  await provider.send(named, payload)
  expect(told).toEqual([])
  await provider.send({ ...named, ':path': '/elsewhere' }, payload)
  expect(told).toEqual([])

  await provider.send({ ...named, 'apns-priority': '5', ':path': `/3/device/${gone}` }, payload)
  world.delivery.outcome = 'busy'
  await provider.send(named, payload)
  world.delivery.outcome = 'accepted'
  const missing = await provider.send({ ...world.headers(), authorization: undefined }, payload)

  const alert = { topic: bundleId, pushType: 'alert' }
  expect(told).toEqual([
    { ...alert, apnsId, token: gone, priority: 5, reason: 'Unregistered' },
    { ...alert, apnsId, token, priority: 10, reason: 'ServiceUnavailable' },
    {
      ...alert,
      apnsId: missing.headers['apns-id'],
      token,
      priority: 10,
      reason: 'MissingProviderToken',
    },
  ])
})

test('the unique id of the sandbox is made before the push is accepted, and is the one in its answer', async () => {
  world = await GatewayWorld.start()
  const provider = await world.provider()
  const answer = await provider.send(world.headers(), payload)
  expect(answer.headers['apns-unique-id']).toBe(world.delivery.accepted[0]!.uniqueId)
})
