import { expect, test } from 'vitest'
import { alert, background, type Notification, type SentPush } from '../src/index.ts'
import { expectArgumentError } from './support/argument-error.ts'
import { gather } from './support/results.ts'
import { clientOf, push, ScriptedService, type SeenRequest } from './support/service.ts'

const bundleId = 'com.example.app'
const hello = alert({ bundleId, body: 'Hello' })
const accepting = () => new ScriptedService({ onRequest: (request) => request.accept() })
const tokens = (count: number): string[] =>
  Array.from({ length: count }, (_, n) => n.toString(16).padStart(64, '0'))

test('one notification for many tokens: each gets it once, results carry index and token', async () => {
  const seen: SeenRequest[] = []
  const service = new ScriptedService({
    onRequest(request) {
      seen.push(request)
      request.accept()
    },
  })
  const results = await service.world.until(gather(clientOf(service).sendMany(hello, tokens(2500))))
  expect(results.length).toBe(2500)
  expect(results.every(({ result }) => result.ok)).toBe(true)
  for (const { index, deviceToken, push: sent } of results) {
    expect(deviceToken).toBe(tokens(2500)[index])
    expect(sent).toBe(hello)
  }
  expect(new Set(seen.map(({ headers }) => headers[':path'])).size).toBe(2500)
  expect(new Set(seen.map(({ headers }) => headers['apns-id'])).size).toBe(2500)
  expect(new Set(seen.map(({ body }) => body))).toEqual(new Set(['{"aps":{"alert":{"body":"Hello"}}}']))
})

test('a notification for each token, from an endless source, in bounded memory', async () => {
  const service = accepting()
  let pulled = 0
  async function* source(): AsyncGenerator<string> {
    for (;;) {
      pulled += 1
      yield pulled.toString(16).padStart(64, '0')
    }
  }
  const client = clientOf(service, { limits: { sendManyMax: 100 } })
  const body = (token: string, index: number) => background({ bundleId, data: { token, index } })
  const reading = (async () => {
    const taken: SentPush<Notification>[] = []
    for await (const one of client.sendMany(body, source())) {
      expect(pulled - taken.length).toBeLessThanOrEqual(101)
      taken.push(one)
      if (taken.length === 1000) return taken
    }
    throw new Error('the source ended')
  })()
  const taken = await service.world.until(reading)
  expect(taken.map(({ index }) => index).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 1000 }, (_, n) => n),
  )
  expect(taken[0]!.push.payload).toMatchObject({ token: taken[0]!.deviceToken, index: taken[0]!.index })
})

test('a bad token in between is a result, a bad kind of token or a function that throws ends it', async () => {
  const service = accepting()
  const client = clientOf(service)
  const [good = ''] = tokens(1)
  const results = await service.world.until(gather(client.sendMany(hello, [good, 'no hex', good])))
  expect(results.map(({ index, result }) => [index, result.ok]).sort()).toEqual([
    [0, true],
    [1, false],
    [2, true],
  ])
  await expect(
    service.world.until(gather(client.sendMany(hello, [good, 5 as unknown as string]))),
  ).rejects.toThrow(/^deviceToken: /)
  const failing = () => {
    throw new Error('no text for this one')
  }
  await expect(service.world.until(gather(client.sendMany(failing, [good])))).rejects.toThrow('no text')
})

test('a signal stops pulling, takes back what waits, and keeps the results of what was sent', async () => {
  const service = new ScriptedService({
    onRequest: (request) => service.world.after(100, () => request.accept()),
  })
  service.world.serverOptions = { settings: { maxConcurrentStreams: 10 } }
  const client = clientOf(service, { limits: { sendManyMax: 50 } })
  const stop = new AbortController()
  let pulled = 0
  let isLeft = false
  function* source(): Generator<string> {
    try {
      for (const token of tokens(1000)) {
        pulled += 1
        yield token
      }
    } finally {
      isLeft = true
    }
  }
  service.world.after(50, () => stop.abort())
  const results = await service.world.until(gather(client.sendMany(hello, source(), { signal: stop.signal })))
  expect(pulled).toBe(50)
  expect(isLeft).toBe(true)
  expect(results.filter(({ result }) => result.ok).length).toBe(10)
  const rest = results.filter(({ result }) => !result.ok)
  expect(rest.length).toBe(40)
  for (const { result } of rest) expect(result).toMatchObject({ reason: 'Aborted', outcome: 'unsent' })
})

test('a signal ends a source that waits for ever, or was aborted before', async () => {
  const service = accepting()
  const client = clientOf(service)
  const stop = new AbortController()
  const never: AsyncIterable<string> = {
    [Symbol.asyncIterator]: () => ({ next: () => new Promise<IteratorResult<string>>(() => {}) }),
  }
  service.world.after(10, () => stop.abort())
  const { signal } = stop
  expect(await service.world.until(gather(client.sendMany(hello, never, { signal })))).toEqual([])
  expect(await service.world.until(gather(client.sendMany([push()], { signal })))).toEqual([])
})

test.each<[string, unknown, unknown]>([
  ['pushes', 5, undefined],
  ['pushes', hello, undefined],
  ['deviceTokens', hello, 5],
  ['deviceTokens', hello, 'abcd'],
  ['notification', undefined, ['abcd']],
  ['payload', { ...hello, payload: 5 }, ['abcd']],
])('%s is named where it is wrong', (field, what, second) => {
  const client = clientOf(accepting())
  expectArgumentError(field, () => client.sendMany(what as Notification, second as string[]))
})
