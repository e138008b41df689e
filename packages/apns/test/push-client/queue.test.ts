import { expect, test } from 'vitest'
import { countByReason, sendAll } from '../support/results.ts'
import { clientOf, push, ScriptedService } from '../support/service.ts'

test('a full queue is data', async () => {
  const service = new ScriptedService({ onRequest: () => {} })
  service.world.serverOptions = { settings: { maxConcurrentStreams: 1 } }
  const client = clientOf(service, { limits: { queuedMax: 5 } })
  const results = sendAll(client, 8)
  await service.world.pass(10)
  expect(client.stats()).toMatchObject({ unanswered: 3, queued: 4, inFlight: 1 })
  expect(countByReason(await service.world.until(results))).toEqual({ QueueFull: 3, DeadlineExceeded: 5 })
})

test('a signal takes a push back: before it is sent for certain, afterwards ambiguously', async () => {
  const service = new ScriptedService({ onRequest: () => {} })
  service.world.serverOptions = { settings: { maxConcurrentStreams: 1 } }
  const client = clientOf(service)
  const [sent, queued] = [new AbortController(), new AbortController()]
  const first = client.send({ ...push(), signal: sent.signal })
  const second = client.send({ ...push(), signal: queued.signal })
  const third = client.send({ ...push(), signal: AbortSignal.abort() })
  await service.world.pass(10)
  sent.abort()
  queued.abort()
  expect(await first).toMatchObject({ reason: 'Aborted', ambiguous: true })
  expect(await second).toMatchObject({ reason: 'Aborted', ambiguous: false })
  expect(await third).toMatchObject({ reason: 'Aborted', ambiguous: false })
  expect(client.stats()).toMatchObject({ inFlight: 0, queued: 0 })
})
