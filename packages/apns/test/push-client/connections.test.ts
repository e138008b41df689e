import { expect, test } from 'vitest'
import { countByReason, sendAll } from '../support/results.ts'
import { clientOf, push, ScriptedService } from '../support/service.ts'

test('one stream until the first valid token, then a thousand: nothing is lost or refused', async () => {
  let open = 0
  let openMax = 0
  const openAtFirst: number[] = []
  const service = new ScriptedService({
    onRequest(request) {
      open += 1
      openMax = Math.max(openMax, open)
      if (request.number < 3) openAtFirst.push(open)
      service.world.after(20, () => {
        open -= 1
        request.accept()
        if (request.number === 0) request.link.server.setMaxConcurrentStreams(1000)
      })
    },
  })
  service.world.serverOptions = { settings: { maxConcurrentStreams: 1 } }
  const client = clientOf(service)
  const results = await service.world.until(sendAll(client, 3000))
  expect(countByReason(results)).toEqual({ ok: 3000 })
  expect(openAtFirst[0]).toBe(1)
  expect(openMax).toBeGreaterThan(900)
  expect(openMax).toBeLessThanOrEqual(1000)
  expect(client.stats()).toMatchObject({ sent: 3000, accepted: 3000, resent: 0, connectionsOpened: 1 })
})

test('a lowered limit is obeyed, and not evaded by another connection', async () => {
  let open = 0
  let openMaxAfter = 0
  let isLowered = false
  const service = new ScriptedService({
    onRequest(request) {
      open += 1
      if (isLowered) openMaxAfter = Math.max(openMaxAfter, open)
      service.world.after(100, () => {
        open -= 1
        if (request.number === 500) request.link.server.setMaxConcurrentStreams(1)
        if (request.number === 700) isLowered = true
        request.accept()
      })
    },
  })
  service.world.serverOptions = { settings: { maxConcurrentStreams: 100 } }
  const client = clientOf(service, { limits: { connectionsMax: 1 } })
  const results = await service.world.until(sendAll(client, 720))
  expect(countByReason(results)).toEqual({ ok: 720 })
  expect(openMaxAfter).toBe(1)

  const second = clientOf(service)
  service.world.serverOptions = { settings: { maxConcurrentStreams: 1 } }
  await service.world.until(second.send(push()))
  expect(second.stats().connectionsOpened).toBe(1)
})

test('more connections are opened where all are full and answers are slow, up to the limit', async () => {
  const service = new ScriptedService({
    onRequest: (request) => service.world.after(200, () => request.accept()),
  })
  service.world.serverOptions = { settings: { maxConcurrentStreams: 10 } }
  const client = clientOf(service, { limits: { connectionsMax: 3, spareIdleMsMax: 5_000 } })
  const results = await service.world.until(sendAll(client, 500))
  expect(countByReason(results)).toEqual({ ok: 500 })
  expect(client.stats().connectionsOpened).toBe(3)
  await service.world.pass(20_000)
  expect(client.stats().connections).toBe(1)
  expect(countByReason(await service.world.until(sendAll(client, 5)))).toEqual({ ok: 5 })
})

test('a silent connection is asked for a sign of life, and replaced without one', async () => {
  const service = new ScriptedService({ onRequest: (request) => request.accept() })
  const client = clientOf(service)
  await service.world.until(client.send(push()))
  // From now on nothing of the first connection arrives anywhere, and nobody is told.
  service.world.links[0]!.server.receive = () => {}
  const lost = await service.world.until(client.send(push()))
  expect(lost).toMatchObject({ reason: 'ConnectionLost', ambiguous: true })
  expect(countByReason(await service.world.until(sendAll(client, 3)))).toEqual({ ok: 3 })
  expect(service.world.links.length).toBe(2)
})

test('while nothing is pending the client does not keep the process alive', async () => {
  const service = new ScriptedService({ onRequest: (request) => request.accept() })
  const client = clientOf(service)
  const result = client.send(push())
  expect(service.world.isKeptAlive).toBe(true)
  await service.world.until(result)
  await service.world.pass(200)
  expect(service.world.isKeptAlive).toBe(false)
  // An idle connection is still good for the next push.
  await service.world.pass(600_000)
  await service.world.until(client.send(push()))
  expect(service.world.links.length).toBe(1)
})
