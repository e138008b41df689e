import { describe, expect, test } from 'vitest'
import type { Push, SentPush } from '../src/index.ts'
import { gather } from './support/results.ts'
import { clientOf, deviceToken, push, ScriptedService } from './support/service.ts'

function* pushes(count: number, seen?: { pulled: number }): Generator<Push> {
  for (let n = 0; n < count; n++) {
    if (seen !== undefined) seen.pulled = n + 1
    yield push(n)
  }
}

async function* slowPushes(count: number, wait: () => Promise<void>): AsyncGenerator<Push> {
  for (let n = 0; n < count; n++) {
    if (n % 10 === 9) await wait()
    yield push(n)
  }
}

const waiting = () => {
  const service = new ScriptedService({
    onRequest: (request) => service.world.after(10 + (request.number % 7), () => request.accept()),
  })
  return service
}

test('every push of an iterable gets its result, with index and push', async () => {
  const service = waiting()
  const client = clientOf(service)
  const list = [...pushes(5000)]
  const results = await service.world.until(gather(client.sendMany(list)))
  expect(results.length).toBe(5000)
  expect(results.every(({ index, push: sent, result }) => sent === list[index] && result.ok)).toBe(true)
  expect(new Set(results.map(({ index }) => index)).size).toBe(5000)
})

test('an async iterable that is slow does not hold results back', async () => {
  const service = waiting()
  const client = clientOf(service)
  let waits = 0
  const wait = (): Promise<void> =>
    new Promise((resolve) => {
      waits += 1
      service.world.after(500, resolve)
    })
  const iterator = client.sendMany(slowPushes(95, wait))
  const first: SentPush[] = []
  await service.world.until(
    (async () => {
      for (let n = 0; n < 9; n++) {
        const next = await iterator.next()
        if (!next.done) first.push(next.value)
      }
    })(),
  )
  expect(waits).toBe(1)
  const rest = await service.world.until(gather(iterator))
  expect(first.length + rest.length).toBe(95)
})

test('a slow reader slows the source down: so many are held and no more', async () => {
  const service = waiting()
  const client = clientOf(service, { limits: { sendManyMax: 50 } })
  const seen = { pulled: 0 }
  let taken = 0
  const read = (async () => {
    for await (const _ of client.sendMany(pushes(1000, seen))) {
      taken += 1
      expect(seen.pulled - taken).toBeLessThanOrEqual(50)
      if (taken % 100 === 0) await new Promise<void>((resolve) => service.world.after(1000, resolve))
    }
  })()
  await service.world.until(read)
  expect(taken).toBe(1000)
})

test('values that are refused without being sent are results like others', async () => {
  const service = waiting()
  const client = clientOf(service)
  const list = [push(0), { ...push(1), deviceToken: 'nonsense' }, push(2)]
  const results = await service.world.until(gather(client.sendMany(list)))
  results.sort((a, b) => a.index - b.index)
  expect(results.map(({ result }) => result.ok)).toEqual([true, false, true])
})

test('a source that throws: all before it have their results, then the error comes', async () => {
  const service = waiting()
  const client = clientOf(service)
  function* failing(): Generator<Push> {
    yield* pushes(20)
    throw new Error('the database is gone')
  }
  const results: SentPush[] = []
  const read = (async () => {
    for await (const result of client.sendMany(failing())) results.push(result)
  })()
  await expect(service.world.until(read)).rejects.toThrow('the database is gone')
  expect(results.length).toBe(20)
})

test('a push that is a mistake ends the run the same way, and closes the source', async () => {
  const service = waiting()
  const client = clientOf(service)
  let isClosed = false
  function* mistaken(): Generator<Push> {
    try {
      yield push(0)
      yield { deviceToken, payload: 5 } as unknown as Push
      yield push(2)
    } finally {
      isClosed = true
    }
  }
  const results: SentPush[] = []
  const read = (async () => {
    for await (const result of client.sendMany(mistaken())) results.push(result)
  })()
  await expect(service.world.until(read)).rejects.toThrow(/^payload: /)
  expect(results.length).toBe(1)
  expect(isClosed).toBe(true)
})

test('leaving the loop takes back what was not sent, and tells the source', async () => {
  const service = waiting()
  service.world.serverOptions = { settings: { maxConcurrentStreams: 10 } }
  const client = clientOf(service, { limits: { sendManyMax: 100 } })
  let isClosed = false
  function* source(): Generator<Push> {
    try {
      yield* pushes(1000)
    } finally {
      isClosed = true
    }
  }
  const read = (async () => {
    for await (const _ of client.sendMany(source())) break
  })()
  await service.world.until(read)
  expect(isClosed).toBe(true)
  expect(client.stats().queued).toBe(0)
  await service.world.until(client.close())
  expect(service.requests).toBeLessThan(40)
})

test('after close the results say so', async () => {
  const service = waiting()
  const client = clientOf(service)
  await client.close()
  const results = await service.world.until(gather(client.sendMany(pushes(5000))))
  expect(results.length).toBe(5000)
  expect(results.every(({ result }) => !result.ok && result.reason === 'ClientClosed')).toBe(true)
})

test('no iterable is a mistake', () => {
  const client = clientOf(waiting())
  expect(() => client.sendMany(5 as unknown as Push[])).toThrow(/^pushes: /)
  expect(() => client.sendMany(undefined as unknown as Push[])).toThrow(/^pushes: /)
})

describe('a source that ends the run by itself', () => {
  test.each([
    [
      'a generator',
      (stop: () => void) =>
        (function* () {
          yield push(0)
          stop()
          yield push(1)
        })(),
    ],
    [
      'an async generator',
      (stop: () => void) =>
        (async function* () {
          yield push(0)
          stop()
          yield push(1)
        })(),
    ],
  ])('%s: what it gives afterwards is not sent, and the loop ends in good order', async (_name, source) => {
    const service = waiting()
    const client = clientOf(service)
    const controller = new AbortController()
    const uncaught: unknown[] = []
    const note = (error: unknown) => void uncaught.push(error)
    process.on('uncaughtException', note)
    try {
      const results = client.sendMany(
        source(() => controller.abort()),
        { signal: controller.signal },
      )
      expect((await service.world.until(gather(results))).map(({ index }) => index)).toEqual([0])
      await new Promise((resolve) => setImmediate(resolve))
    } finally {
      process.off('uncaughtException', note)
    }
    expect(uncaught).toEqual([])
    expect(service.requests).toBe(0)
  })

  test('a generator that fails when it is left does not bring the program down', async () => {
    const service = waiting()
    const client = clientOf(service)
    const source = function* () {
      try {
        for (let n = 0; ; n++) yield push(n)
      } finally {
        // biome-ignore lint/correctness/noUnsafeFinally: it is what is tested
        throw new Error('the file cannot be closed')
      }
    }
    const seen: number[] = []
    await service.world.until(
      (async () => {
        for await (const { index } of client.sendMany(source())) {
          seen.push(index)
          break
        }
      })(),
    )
    expect(seen).toHaveLength(1)
  })
})
