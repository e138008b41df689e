import { expect, test } from 'vitest'
import type { PushClientOptions, PushResult } from '../src/index.ts'
import { retryAfterOf } from '../src/retry-after.ts'
import { clientOf, push, ScriptedService, type SeenRequest } from './support/service.ts'

/** Answers the first requests as told, in order, and accepts the rest; notes ids and times. */
const service = (...answers: ((request: SeenRequest) => void)[]) => {
  const seen: { id: string; at: number }[] = []
  const made = new ScriptedService({
    onRequest(request) {
      seen.push({ id: request.headers['apns-id'] ?? '', at: made.world.time })
      const answer = answers[request.number]
      if (answer === undefined) request.accept()
      else answer(request)
    },
  })
  return { service: made, seen }
}
const unavailable = (request: SeenRequest) => request.reject(503, { reason: 'ServiceUnavailable' })
const throttled = (request: SeenRequest) => request.reject(429, { reason: 'TooManyRequests' })
const after =
  (status: number, reason: string, retryAfter: string) =>
  ({ link, streamId }: SeenRequest) =>
    void link.server.respond(
      streamId,
      [':status', String(status), 'retry-after', retryAfter],
      Buffer.from(JSON.stringify({ reason })),
    )
const cut = (request: SeenRequest) => request.link.cut()

const sendTo = async (
  { service: made }: ReturnType<typeof service>,
  more: object = {},
  options: Partial<PushClientOptions> = {},
): Promise<PushResult> => made.world.until(clientOf(made, options).send({ ...push(), ...more }))

test('server errors and throttling are retried with pauses, under the same id', async () => {
  const peer = service(unavailable, throttled, unavailable)
  const client = clientOf(peer.service)
  const result = await peer.service.world.until(client.send(push()))
  expect(result).toMatchObject({ ok: true, outcome: 'accepted' })
  expect(peer.seen).toHaveLength(4)
  expect(new Set(peer.seen.map(({ id }) => id))).toEqual(new Set([result.apnsId]))
  // TooManyRequests waits a second at least, whatever the jitter.
  expect(peer.seen[2]!.at - peer.seen[1]!.at).toBeGreaterThanOrEqual(1000)
  expect(client.stats()).toMatchObject({ accepted: 1, retried: 3, rejected: 0, resent: 0, pausing: 0 })
})

test('retries end after attemptsMax, and the last failure is the result', async () => {
  const peer = service(...Array.from({ length: 9 }, () => throttled))
  const result = await sendTo(peer, {}, { limits: { attemptsMax: 3 } })
  expect(result).toMatchObject({ status: 429, reason: 'TooManyRequests', retryable: true, attempts: 3 })
  expect(result).toMatchObject({ retryAfter: 1000 })
  expect(peer.seen).toHaveLength(3)
})

test.each([
  [429, 'TooManyRequests'],
  [503, 'ServiceUnavailable'],
])('%i with retry-after waits so long, not four times in 30 ms', async (status, reason) => {
  const peer = service(after(status, reason, '5'))
  expect(await sendTo(peer)).toMatchObject({ ok: true })
  const waited = peer.seen[1]!.at - peer.seen[0]!.at
  expect(waited).toBeGreaterThanOrEqual(5000)
  expect(waited).toBeLessThan(6200)
})

test('a retry-after beyond the patience of the client is told at once', async () => {
  const peer = service(after(503, 'ServiceUnavailable', '3600'))
  const start = peer.service.world.time
  expect(await sendTo(peer)).toMatchObject({ status: 503, retryable: true, retryAfter: 3_600_000 })
  expect(peer.service.world.time - start).toBeLessThan(1000)
})

test("errors of Apple's service are told at once with the quarter of an hour that Apple asks for", async () => {
  const peer = service(unavailable)
  const result = await sendTo(peer, {}, { host: 'api.push.apple.com' })
  expect(result).toMatchObject({ status: 503, retryable: true, retryAfter: 900_000, attempts: 1 })
})

test('retry: false, and false for one class, report at once', async () => {
  expect(await sendTo(service(unavailable), {}, { retry: false })).toMatchObject({ status: 503 })
  expect(await sendTo(service(unavailable), {}, { retry: { server: false } })).toMatchObject({ status: 503 })
  expect(await sendTo(service(throttled), {}, { retry: { server: false } })).toMatchObject({ ok: true })
})

test('no attempt after the expiration of the push, none at all for one that is for now only', async () => {
  const peer = service(after(503, 'ServiceUnavailable', '10'))
  const seconds = Math.floor(peer.service.world.time / 1000)
  expect(await sendTo(peer, { expiration: seconds + 5 })).toMatchObject({ status: 503, attempts: 1 })
  expect(await sendTo(service(throttled), { expiration: 0 })).toMatchObject({ status: 429, attempts: 1 })
  const later = service(after(503, 'ServiceUnavailable', '10'))
  expect(await sendTo(later, { expiration: seconds + 60 })).toMatchObject({ ok: true })
})

test.each([
  ['alert', {}, 'ambiguous'],
  ['alert', { collapseId: 'score' }, 'accepted'],
  ['alert', { whenAmbiguous: 'resend' }, 'accepted'],
  ['background', { priority: 5 }, 'accepted'],
  ['background', { priority: 5, whenAmbiguous: 'report' }, 'ambiguous'],
  ['voip', {}, 'ambiguous'],
  ['liveactivity', {}, 'ambiguous'],
  ['widgets', {}, 'accepted'],
  [undefined, {}, 'ambiguous'],
] as const)('a lost answer to %s %j ends as %s', async (pushType, more, outcome) => {
  for (const lose of [
    cut,
    (request: SeenRequest) => request.link.server.reset(request.streamId, 2),
    (request: SeenRequest) => void request,
  ]) {
    const peer = service(lose)
    const result = await sendTo(peer, { pushType, ...more })
    expect(result).toMatchObject({ outcome, ok: outcome === 'accepted' })
    expect(peer.seen.length).toBe(outcome === 'accepted' ? 2 : 1)
    expect(new Set(peer.seen.map(({ id }) => id)).size).toBe(1)
  }
})

test('a policy of the client for a push type', async () => {
  expect(await sendTo(service(cut), {}, { retry: { ambiguous: { alert: 'resend' } } })).toMatchObject({
    ok: true,
  })
})

test('what was ambiguous once stays so until it is accepted', async () => {
  const lost = service(cut, throttled, cut, throttled, throttled)
  const result = await sendTo(lost, { whenAmbiguous: 'resend' })
  expect(result).toMatchObject({ outcome: 'rejected', status: 429, ambiguous: true, attempts: 4 })
})

test('a push that pauses can be taken back, counts as waiting, and does not outlive the client', async () => {
  const peer = service(...Array.from({ length: 9 }, () => after(503, 'ServiceUnavailable', '20')))
  const client = clientOf(peer.service, { limits: { queuedMax: 2 } })
  const taken = new AbortController()
  const first = client.send({ ...push(), signal: taken.signal })
  const second = client.send(push())
  await peer.service.world.pass(500)
  expect(client.stats()).toMatchObject({ pausing: 2, inFlight: 0, queued: 0 })
  taken.abort()
  expect(await first).toMatchObject({ outcome: 'unsent', reason: 'Aborted', ambiguous: false, sent: true })
  await peer.service.world.until(client.close({ drain: false }))
  expect(await second).toMatchObject({ outcome: 'unsent', reason: 'ClientClosed' })
  expect(client.stats()).toMatchObject({ pausing: 0, unanswered: 2 })
})

test('410 does not count against a token that was registered later', async () => {
  const gone = (request: SeenRequest) =>
    request.reject(410, { reason: 'Unregistered', timestamp: 1_700_000_000_000 })
  const before = await sendTo(service(gone), { registeredAt: 1_699_999_999_999 })
  expect(before).toMatchObject({ status: 410, tokenIsDead: true, retryable: false })
  const later = await sendTo(service(gone), { registeredAt: new Date(1_700_000_000_001) })
  expect(later).toMatchObject({ status: 410, tokenIsDead: false, retryable: true })
  expect(later).toHaveProperty('hint', expect.stringContaining('keep it'))
})

test('BadDeviceToken asks about the other environment', async () => {
  const bad = (request: SeenRequest) => request.reject(400, { reason: 'BadDeviceToken' })
  expect(await sendTo(service(bad))).toHaveProperty('hint', expect.stringContaining('try production'))
  expect(await sendTo(service(bad), {}, { environment: 'production' })).toHaveProperty(
    'hint',
    expect.stringContaining('try sandbox'),
  )
})

test.each([
  ['0', 0],
  ['120', 120_000],
  ['99999999', 86_400_000],
  ['Thu, 01 Jan 1970 00:01:10 GMT', 60_000],
  ['Thu, 01 Jan 1970 00:00:01 GMT', 0],
  ['soon', undefined],
  ['-1', undefined],
])('retry-after: %s', (text, ms) => {
  expect(retryAfterOf([':status', '503', 'retry-after', text], 10_000)).toBe(ms)
})
