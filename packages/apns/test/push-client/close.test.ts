import { expect, test } from 'vitest'
import { countByReason, sendAll } from '../support/results.ts'
import { clientOf, push, ScriptedService } from '../support/service.ts'

test('close lets what is pending finish, and answers later pushes', async () => {
  const service = new ScriptedService({
    onRequest: (request) => service.world.after(50, () => request.accept()),
  })
  service.world.serverOptions = { settings: { maxConcurrentStreams: 10 } }
  const client = clientOf(service)
  const results = sendAll(client, 100)
  const closed = client.close()
  expect(await client.send(push())).toMatchObject({ reason: 'ClientClosed', ambiguous: false })
  await service.world.until(closed)
  expect(countByReason(await results)).toEqual({ ok: 100 })
  expect(client.stats().connections).toBe(0)
  await client.close()
})

test('close with little patience ends the rest as ClientClosed', async () => {
  const service = new ScriptedService({ onRequest: () => {} })
  service.world.serverOptions = { settings: { maxConcurrentStreams: 10 } }
  const client = clientOf(service)
  const results = sendAll(client, 100)
  await service.world.pass(20)
  await service.world.until(client.close({ drainMsMax: 1_000 }))
  const ended = await results
  expect(countByReason(ended)).toEqual({ ClientClosed: 100 })
  expect(ended.filter((result) => !result.ok && result.ambiguous).length).toBe(10)
})

test('close before any push, and close of a client that never connected', async () => {
  const service = new ScriptedService({
    onConnect: () => new Error('connect ECONNREFUSED'),
    onRequest: () => {},
  })
  await clientOf(service).close()
  const client = clientOf(service)
  const result = client.send(push())
  await service.world.until(client.close({ drainMsMax: 500 }))
  expect(await result).toMatchObject({ reason: 'ClientClosed', ambiguous: false })
})
