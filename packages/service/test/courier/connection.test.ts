import type { TLSSocket } from 'node:tls'
import { expect, test } from 'vitest'
import { CourierConnection } from '../../src/courier/drivers/connection.ts'
import { WriteTurn } from '../../src/courier/drivers/write-turn.ts'
import { limits } from '../../src/limits.ts'
import { courierWorld } from './courier-world.ts'

test('a peer that does not take the last bytes does not keep its closed connection open', () => {
  const world = courierWorld()
  const calls: string[] = []
  // A socket whose peer reads nothing: it never ends by itself.
  const socket = {
    destroyed: false,
    writableLength: 0,
    write: () => false,
    destroySoon: () => calls.push('destroySoon'),
    destroy: () => calls.push('destroy'),
  }
  const connection = new CourierConnection(
    socket as unknown as TLSSocket,
    world.host,
    new WriteTurn(),
    () => {},
  )
  connection.session.end('replaced')
  connection.tick(world.clock.nowMs + limits.courierLingerMsMax)
  expect(calls).toEqual(['destroySoon'])
  connection.tick(world.clock.nowMs + limits.courierLingerMsMax + 1)
  expect(calls).toEqual(['destroySoon', 'destroy'])
})
