import { describe, expect, test } from 'vitest'
import { DEFAULT_BINARY_LIMITS } from '../../src/index.ts'
import { ScriptedWorld } from './scripted-world.ts'

const accepted = { ok: true, outcome: 'accepted' }
const refused = new Error('connect ECONNREFUSED')
const { quietMs, confirmMsMax, queuedMsMax, closeMsMax, reconnectMsMax } = DEFAULT_BINARY_LIMITS

describe('what the answer says', () => {
  test.each([
    ['a status that nobody knows rejects its notification', 200, 2, ['accepted', 'rejected', 'again']],
    ['255 likewise', 255, 1, ['rejected', 'again', 'again']],
    ['shutdown: the identifier is the last one that counts', 10, 2, ['accepted', 'accepted', 'again']],
    ['shutdown with 0: none on this connection', 10, 0, ['again', 'again', 'again']],
  ] as const)('%s', async (_what, status, identifier, outcomes) => {
    const world = new ScriptedWorld()
    const results = world.send(3)
    await world.settle()
    expect(world.connection.sent.map((sent) => sent.identifier)).toEqual([1, 2, 3])
    world.connection.answer(status, identifier)
    await world.pass(quietMs * 3)
    expect(world.connections).toHaveLength(2)
    const again = outcomes.flatMap((outcome, n) => (outcome === 'again' ? [`${n}`] : []))
    expect(world.connection.sent.map(({ payload }) => Buffer.from(payload).toString())).toEqual(again)
    // Identifiers go on: none of the old connection can be taken for one of this.
    expect(world.connection.sent[0]?.identifier).toBe(4)
    world.connection.answer(2, 0)
    expect((await Promise.all(results)).map(({ outcome }) => outcome)).toEqual(
      outcomes.map((outcome) => (outcome === 'again' ? 'accepted' : outcome)),
    )
  })

  test.each([
    ['an identifier that was not sent', (world: ScriptedWorld) => world.connection.answer(8, 77)],
    ['status 2 with 0, though nobody asked', (world: ScriptedWorld) => world.connection.answer(2, 0)],
    ['something else', (world: ScriptedWorld) => world.connection.handler.onBytes(Buffer.from('HTTP/1.1'))],
    ['the end without a word', (world: ScriptedWorld) => world.connection.handler.onEnd()],
  ])('%s: nobody knows what was accepted', async (_what, happen) => {
    const world = new ScriptedWorld()
    const results = world.send(2)
    await world.settle()
    happen(world)
    expect(await Promise.all(results)).toMatchObject(
      Array(2).fill({ outcome: 'ambiguous', reason: 'ConnectionLost', status: 0 }),
    )
    expect(world.connection.isAborted).toBe(true)
  })
})

describe('time', () => {
  test('after a quiet while it asks, and with the answer nothing keeps the process alive', async () => {
    const world = new ScriptedWorld()
    const [result] = world.send(1)
    await world.pass(quietMs - 100)
    expect([world.connection.hasAsked, world.keepsAlive]).toEqual([false, true])
    await world.pass(200)
    expect(world.connection.hasAsked).toBe(true)
    world.connection.answer(2, 0)
    expect(await result).toEqual(accepted)
    await world.settle()
    expect(world.keepsAlive).toBe(false)
  })

  test('an answer that does not come: the connection is cut', async () => {
    const world = new ScriptedWorld()
    const [result] = world.send(1)
    await world.pass(quietMs + confirmMsMax + 200)
    expect(await result).toMatchObject({ outcome: 'ambiguous', reason: 'ConnectionLost' })
    expect(world.connection.isAborted).toBe(true)
  })

  test('without a connection they wait, with growing pauses between the attempts, and not for ever', async () => {
    const world = new ScriptedWorld()
    world.onConnect = ({ handler }) => handler.onClose(refused)
    const [result] = world.send(1)
    await world.pass(queuedMsMax + 100)
    expect(await result).toMatchObject({
      outcome: 'unsent',
      reason: 'ConnectFailed',
      hint: expect.stringContaining('push.example:2195: connect ECONNREFUSED'),
    })
    // 0.2 + 0.4 + … + 12.8 + 20 + 20 seconds: the random part is at its longest here.
    expect(world.connections.length).toBeGreaterThan(6)
    expect(world.connections.length).toBeLessThan(12)
    await world.pass(reconnectMsMax * 2)
    expect(world.keepsAlive).toBe(false)
  })

  test('the service comes back in time: nothing is lost', async () => {
    const world = new ScriptedWorld()
    const open = world.onConnect
    world.onConnect = ({ handler }) => handler.onClose(refused)
    const results = world.send(3)
    await world.pass(5000)
    world.onConnect = open
    void world.client.flush()
    await world.pass(reconnectMsMax)
    world.connection.answer(2, 0)
    expect(await Promise.all(results)).toEqual([accepted, accepted, accepted])
  })

  test('a service that stops reading: the connection is cut, and what was written ends as ambiguous', async () => {
    const world = new ScriptedWorld()
    world.onConnect = (connection) => {
      connection.takesBytes = false
      connection.handler.onOpen()
    }
    const [sent] = world.send(1)
    await world.pass(confirmMsMax - 100)
    expect(world.connection.isAborted).toBe(false)
    await world.pass(200)
    expect(await sent).toMatchObject({ outcome: 'ambiguous', reason: 'ConnectionLost' })
    expect(world.connection.isAborted).toBe(true)
    await world.settle()
    expect(world.keepsAlive).toBe(false)
  })

  test('a socket that takes nothing: what waits behind it is unsent', async () => {
    const world = new ScriptedWorld({ limits: { confirmMsMax: 2 * queuedMsMax } })
    world.onConnect = (connection) => {
      connection.takesBytes = false
      connection.handler.onOpen()
    }
    const [first] = world.send(1)
    await world.settle()
    const [second] = world.send(1)
    await world.pass(queuedMsMax + 100)
    expect(await second).toMatchObject({ outcome: 'unsent', reason: 'DeadlineExceeded' })
    world.connection.handler.onClose(refused)
    expect(await first).toMatchObject({ outcome: 'ambiguous' })
  })

  test('close() does not wait for ever', async () => {
    const world = new ScriptedWorld()
    const [sent] = world.send(1)
    await world.settle()
    let isClosed = false
    void world.client.close().then(() => (isClosed = true))
    await world.pass(confirmMsMax - 100)
    expect([world.connection.hasAsked, isClosed]).toEqual([true, false])
    await world.pass(closeMsMax)
    expect([await sent, isClosed]).toMatchObject([{ outcome: 'ambiguous' }, true])
    expect(world.keepsAlive).toBe(false)
  })

  test('close() without a connection gives up what waits', async () => {
    const world = new ScriptedWorld()
    world.onConnect = () => {}
    const [sent] = world.send(1)
    const closed = world.client.close()
    await world.pass(closeMsMax + 100)
    await closed
    expect(await sent).toMatchObject({ outcome: 'unsent', reason: 'ClientClosed' })
    expect(world.connection.isAborted).toBe(true)
  })
})
