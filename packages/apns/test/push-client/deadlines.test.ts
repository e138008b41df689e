import { expect, test } from 'vitest'
import { countByReason, sendAll } from '../support/results.ts'
import { clientOf, push, ScriptedService } from '../support/service.ts'

test('no answer in time: the stream is cancelled, the outcome ambiguous', async () => {
  const service = new ScriptedService({
    onRequest(request) {
      if (request.number !== 3) request.accept()
    },
  })
  const client = clientOf(service, { limits: { answerMsMax: 2_000 } })
  const results = await service.world.until(sendAll(client, 10))
  expect(countByReason(results)).toEqual({ ok: 9, DeadlineExceeded: 1 })
  expect(results.find((result) => !result.ok)).toMatchObject({ ambiguous: true, retryable: true, sent: true })
  expect(client.stats().inFlight).toBe(0)
})

test('no free stream in time: certainly not sent', async () => {
  const service = new ScriptedService({ onRequest: () => {} })
  service.world.serverOptions = { settings: { maxConcurrentStreams: 1 } }
  const client = clientOf(service, { limits: { queuedMsMax: 1_000 } })
  const first = client.send(push())
  await service.world.pass(100)
  const second = await service.world.until(client.send(push()))
  expect(second).toMatchObject({ reason: 'DeadlineExceeded', ambiguous: false, sent: false })
  expect(await service.world.until(first)).toMatchObject({ reason: 'DeadlineExceeded', ambiguous: true })
})

test('a clock that is set back by an hour holds up no deadline and no connect', async () => {
  const iats: number[] = []
  let isAway = true
  const service = new ScriptedService({
    onConnect: () => (isAway ? new Error('away') : undefined),
    onRequest(request) {
      const claims = request.headers.authorization?.split('.')[1] ?? ''
      iats.push(JSON.parse(Buffer.from(claims, 'base64url').toString()).iat)
      if (request.number > 0) request.accept()
    },
  })
  const { world } = service
  const client = clientOf(service, { limits: { queuedMsMax: 2_000, answerMsMax: 2_000 } })
  const waiting = client.send(push(1))
  await world.pass(1_000)
  world.clockErrorMs -= 3_600_000
  expect(await world.until(waiting, 1_500)).toMatchObject({ reason: 'ConnectFailed' })

  isAway = false
  const unanswered = client.send(push(2))
  await world.pass(1_000)
  world.clockErrorMs -= 3_600_000
  expect(await world.until(unanswered, 1_500)).toMatchObject({ reason: 'DeadlineExceeded' })
  expect(await world.until(client.send(push(3)), 1_000)).toMatchObject({ ok: true })
  // What the service reads is the time of the machine, not that of the deadlines.
  expect(iats.at(-1)! * 1000).toBeLessThanOrEqual(world.now())
})
