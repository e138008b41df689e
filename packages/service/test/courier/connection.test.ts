import { encodeCourierMessage } from '@carillon/wire'
import { expect, test } from 'vitest'
import { CourierConnection } from '../../src/courier/drivers/connection.ts'
import { WriteTurn } from '../../src/courier/drivers/write-turn.ts'
import { limits } from '../../src/limits.ts'
import { connectMessage, courierWorld, settled } from './courier-world.ts'

test('a peer that does not take the last bytes does not keep its closed connection open', () => {
  const world = courierWorld()
  const calls: string[] = []
  // A socket whose peer reads nothing: it never ends by itself.
  const transport = {
    destroyed: false,
    writableLength: 0,
    write: () => false,
    destroySoon: () => calls.push('destroySoon'),
    destroy: () => calls.push('destroy'),
  }
  const owner = {
    sessions: world.host,
    turn: new WriteTurn(),
    known() {},
    gone() {},
    sooner: (_connection: unknown, delayMs: number) => calls.push(`look in ${delayMs}`),
  }
  const connection = new CourierConnection(transport, owner, '')
  connection.session.end('replaced')
  const look = `look in ${limits.courierLingerMsMax}`
  connection.due(world.clock.nowMs + limits.courierLingerMsMax)
  expect(calls).toEqual(['destroySoon', look])
  connection.due(world.clock.nowMs + limits.courierLingerMsMax + 1)
  expect(calls).toEqual(['destroySoon', look, 'destroy'])
})

test('a device that is told why its connection closes, and does not read, is cut once', async () => {
  const world = courierWorld()
  const calls: string[] = []
  const transport = {
    destroyed: false,
    writableLength: 0,
    write: () => calls.push('write'),
    destroySoon: () => calls.push('destroySoon'),
    destroy: () => calls.push('destroy'),
  }
  const owner = { sessions: world.host, turn: new WriteTurn(), known() {}, gone() {}, sooner() {} }
  const connection = new CourierConnection(transport, owner, '')
  connection.received(encodeCourierMessage(connectMessage(world.clock.nowMs, { extensions: 16 })))
  await settled()
  transport.writableLength = limits.courierUnsentBytesMax
  connection.received(encodeCourierMessage({ type: 'keepAlive' }))
  expect(world.host.counters.closed).toEqual({ 'does not read': 1 })
  expect(calls.filter((call) => call !== 'write')).toEqual(['destroy'])
})
