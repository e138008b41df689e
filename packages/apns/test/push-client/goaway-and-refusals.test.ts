import { ErrorCode } from '@carillon/http2'
import { expect, test } from 'vitest'
import { countByReason, sendAll } from '../support/results.ts'
import { clientOf, push, ScriptedService } from '../support/service.ts'

test('GOAWAY in the middle: what the service took finishes, the rest goes to a new connection', async () => {
  const service = new ScriptedService({
    onRequest(request) {
      if (request.number === 50) request.link.server.drain(Buffer.from('{"reason":"Shutdown"}'))
      service.world.after(30, () => request.accept())
    },
  })
  service.world.serverOptions = { settings: { maxConcurrentStreams: 100 } }
  const client = clientOf(service)
  const results = await service.world.until(sendAll(client, 500))
  expect(countByReason(results)).toEqual({ ok: 500 })
  expect(new Set(service.accepted).size).toBe(500)
  expect(service.world.links.length).toBe(2)
})

test('GOAWAY again and again does not make a storm of connections', async () => {
  const service = new ScriptedService({
    onRequest(request) {
      request.accept()
      request.link.server.drain()
    },
  })
  service.world.serverOptions = { settings: { maxConcurrentStreams: 1 } }
  const client = clientOf(service, { limits: { connectsPerMinuteMax: 10, queuedMsMax: 600_000 } })
  const start = service.world.time
  const results = await service.world.until(sendAll(client, 35))
  expect(countByReason(results)).toEqual({ ok: 35 })
  expect(service.world.time - start).toBeGreaterThan(60_000)
})

test('a certificate of the wrong environment is told by GOAWAY: everything that waits is rejected so', async () => {
  const service = new ScriptedService({
    onConnect(link) {
      service.world.after(0, () => {
        link.server.goaway(ErrorCode.NO_ERROR, Buffer.from('{"reason":"BadCertificateEnvironment"}'))
      })
      return undefined
    },
    onRequest: (request) => request.accept(),
  })
  const client = clientOf(service)
  const results = await service.world.until(sendAll(client, 20))
  expect(countByReason(results)).toEqual({ BadCertificateEnvironment: 20 })
  expect(results[0]).toMatchObject({ status: 403, retryable: false, sent: false })
  expect(service.world.links.length).toBe(1)
})

test('a server that is going down is left for another', async () => {
  const service = new ScriptedService({
    onRequest(request) {
      if (request.link.number === 0 && request.number > 10) request.reject(503, { reason: 'Shutdown' })
      else request.accept()
    },
  })
  const client = clientOf(service)
  expect(countByReason(await service.world.until(sendAll(client, 40)))).toEqual({ ok: 40 })
  expect(service.world.links.length).toBe(2)
})

test('REFUSED_STREAM is sent again, as often as it takes', async () => {
  const service = new ScriptedService({
    onRequest(request) {
      if (request.number % 3 !== 0) request.refuse()
      else request.accept()
    },
  })
  const client = clientOf(service)
  const results = await service.world.until(sendAll(client, 300))
  expect(countByReason(results)).toEqual({ ok: 300 })
  expect(service.accepted.length).toBe(300)
  expect(client.stats().resent).toBe(service.requests - 300)
})

test('a service that refuses everything is given pauses, and the push ends as Refused', async () => {
  const service = new ScriptedService({ onRequest: (request) => request.refuse() })
  const client = clientOf(service)
  const start = service.world.time
  const result = await service.world.until(client.send(push()))
  expect(result).toMatchObject({ ok: false, status: 0, reason: 'Refused', ambiguous: false, retryable: true })
  expect(service.requests).toBe(21)
  expect(service.world.time - start).toBeGreaterThan(5_000)
})
