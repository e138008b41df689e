import { ErrorCode } from '@carillon/http2'
import { expect, test } from 'vitest'
import { countByReason, sendAll } from '../support/results.ts'
import { clientOf, push, ScriptedService } from '../support/service.ts'

test('a lost connection: sent pushes are ambiguous, waiting ones go to the next connection', async () => {
  const service = new ScriptedService({
    onRequest(request) {
      if (request.link.number === 0) {
        if (request.number < 40) request.accept()
        else if (request.number === 49) service.world.after(5, () => request.link.cut(new Error('cable')))
      } else request.accept()
    },
  })
  service.world.serverOptions = { settings: { maxConcurrentStreams: 10 } }
  const client = clientOf(service)
  const results = await service.world.until(sendAll(client, 100))
  const counts = countByReason(results)
  expect(counts).toEqual({ ok: 90, ConnectionLost: 10 })
  const lost = results.filter((result) => !result.ok)
  expect(lost.every((result) => result.ambiguous && result.retryable && result.sent)).toBe(true)
  expect(service.accepted.length).toBe(90)
  expect(client.stats()).toMatchObject({ accepted: 90, unanswered: 10, rejected: 0, inFlight: 0, queued: 0 })
})

test('an ambiguous push can be sent again under the same id', async () => {
  const ids: string[] = []
  const service = new ScriptedService({
    onRequest(request) {
      ids.push(request.headers['apns-id'] ?? '')
      if (request.number === 0) request.link.cut()
      else request.accept()
    },
  })
  const client = clientOf(service)
  const first = await service.world.until(client.send(push()))
  expect(first).toMatchObject({ reason: 'ConnectionLost', ambiguous: true, apnsId: ids[0] })
  const again = await service.world.until(client.send({ ...push(), apnsId: first.apnsId }))
  expect(again).toEqual({ ok: true, outcome: 'accepted', apnsId: first.apnsId })
  expect(ids).toEqual([first.apnsId, first.apnsId])
})

test('an ambiguous result says what to do about it', async () => {
  const service = new ScriptedService({
    onRequest(request) {
      request.acceptSilently()
      request.link.cut()
    },
  })
  const result = await service.world.until(clientOf(service).send(push()))
  expect(result).toMatchObject({
    outcome: 'ambiguous',
    hint: expect.stringMatching(
      /^The connection ended before the answer: .*\. It may have arrived: send it again/,
    ),
  })
})

test('a reset stream is ambiguous', async () => {
  const service = new ScriptedService({
    onRequest: ({ link, streamId }) => link.server.reset(streamId, ErrorCode.INTERNAL_ERROR),
  })
  const result = await service.world.until(clientOf(service).send(push()))
  expect(result).toMatchObject({ status: 0, reason: 'StreamReset', ambiguous: true })
})
