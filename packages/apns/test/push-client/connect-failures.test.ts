import { expect, test } from 'vitest'
import { countByReason, sendAll } from '../support/results.ts'
import { clientOf, push, ScriptedService } from '../support/service.ts'

test('connects that fail back off; pushes wait for a later one', async () => {
  const service = new ScriptedService({
    onConnect: (link) => (link.number < 4 ? new Error('connect ECONNREFUSED') : undefined),
    onRequest: (request) => request.accept(),
  })
  const client = clientOf(service)
  const results = await service.world.until(sendAll(client, 10))
  expect(countByReason(results)).toEqual({ ok: 10 })
  expect(client.stats()).toMatchObject({ connectsFailed: 4, connectionsOpened: 5 })
})

test('no connection within the waiting time is ConnectFailed, with the cause in words', async () => {
  const service = new ScriptedService({
    onConnect: () => new Error('connect ECONNREFUSED'),
    onRequest: (request) => request.accept(),
  })
  const client = clientOf(service, { limits: { queuedMsMax: 5_000 } })
  const results = await service.world.until(sendAll(client, 10))
  expect(countByReason(results)).toEqual({ ConnectFailed: 10 })
  expect(results[0]).toMatchObject({
    ambiguous: false,
    sent: false,
    retryable: true,
    hint: 'No connection to push.test:443: connect ECONNREFUSED',
  })
  expect(service.world.links.length).toBeLessThan(20)
})

test('an unknown authority is no matter of trying again', async () => {
  const untrusted = Object.assign(new Error('self-signed'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  const service = new ScriptedService({
    onConnect: () => untrusted,
    onRequest: (request) => request.accept(),
  })
  const result = await service.world.until(clientOf(service).send(push()))
  expect(result).toMatchObject({
    reason: 'ConnectFailed',
    hint: expect.stringContaining('Give its CA as `ca`'),
  })
  expect(service.world.links.length).toBe(1)
})

test('a further connection that cannot be made does not fail what waits for one that works', async () => {
  const service = new ScriptedService({
    onConnect: ({ number }) =>
      number === 0 ? undefined : Object.assign(new Error('expired'), { code: 'CERT_HAS_EXPIRED' }),
    onRequest: (request) => service.world.after(200, () => request.accept()),
  })
  service.world.serverOptions = { settings: { maxConcurrentStreams: 2 } }
  const client = clientOf(service)
  const results = await service.world.until(sendAll(client, 20))
  expect(service.world.links.length).toBeGreaterThan(1)
  expect(results.map(({ outcome }) => outcome)).toEqual(new Array(20).fill('accepted'))
})
