import fc from 'fast-check'
import { expect, test } from 'vitest'
import { connected, Peer, settled } from './courier-world.ts'

test.each([
  ['a field that overruns its frame', [0x0b, 0, 0, 0, 4, 0x08, 0, 9, 1]],
  ['half a field header', [0x0b, 0, 0, 0, 2, 0x08, 0]],
  ['a malformed frame of an unknown command', [0x77, 0, 0, 0, 4, 0x08, 0, 9, 1]],
  ['a negative length', [0x0b, 0x80, 0, 0, 0]],
  ['a frame beyond the limit', [0x0b, 0, 2, 0, 0]],
])('%s closes the connection, before connect and after', async (_name, frame) => {
  const { peer, inbox, world } = await connected()
  peer.bytes(Uint8Array.from(frame))
  expect([peer.closedFor, inbox.calls]).toEqual(['malformed', ['close']])
  const early = new Peer(world)
  early.bytes(Uint8Array.from(frame))
  expect(early.closedFor).toBe('malformed')
  early.say({ type: 'keepAlive' })
  expect(early.frames).toEqual([])
})

test('garbage after connect never throws out of the session', async () => {
  const { peer: probe } = await connected()
  expect(probe.session.isConnected).toBe(true)
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 12 }), async (chunks) => {
      const { peer, world } = await connected()
      for (const chunk of chunks) peer.bytes(chunk)
      for (const request of world.tokenRequests) request.answer()
      await settled()
      expect(['malformed', undefined]).toContain(peer.closedFor)
    }),
    { numRuns: 150 },
  )
})
