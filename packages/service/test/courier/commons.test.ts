import { encodeCourierMessage } from '@carillon/wire'
import { expect, test } from 'vitest'
import { NonceMemory } from '../../src/courier/nonce-memory.ts'
import { connectMessage, courierWorld, Peer, settled } from './courier-world.ts'

test('a signed nonce that was used in one environment is worth nothing in the other of the same process', async () => {
  const nonces = new NonceMemory()
  const [sandbox, production] = [courierWorld({ nonces }), courierWorld({ nonces })]
  const bytes = encodeCourierMessage(connectMessage(sandbox.clock.nowMs))
  const outcomes = []
  for (const world of [sandbox, production]) {
    const peer = new Peer(world)
    peer.bytes(bytes)
    await settled()
    outcomes.push(peer.closedFor ?? 'connected')
  }
  expect(outcomes).toEqual(['connected', 'rejected'])
  expect(production.host.counters.rejected).toEqual({ 'nonce reused': 1 })
})
