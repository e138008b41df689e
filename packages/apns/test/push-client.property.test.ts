import { ErrorCode } from '@carillon/http2'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PushResult } from '../src/index.ts'
import { Seeded } from './support/seeded.ts'
import { clientOf, push, ScriptedService, type SeenRequest } from './support/service.ts'

interface Faults {
  readonly seed: number
  readonly streams: number
  readonly pushes: number
  /** Of each request, how probable each fault is. */
  readonly rates: readonly number[]
  readonly viaMany: boolean
  /** Lost answers are asked for again. */
  readonly resends: boolean
}

const faults: fc.Arbitrary<Faults> = fc.record({
  seed: fc.nat(),
  streams: fc.integer({ min: 1, max: 60 }),
  pushes: fc.integer({ min: 1, max: 250 }),
  rates: fc.array(fc.constantFrom(0, 0, 0, 0.01, 0.05, 0.3), { minLength: 10, maxLength: 10 }),
  viaMany: fc.boolean(),
  resends: fc.boolean(),
})

/** A service that misbehaves in ten ways, by the dice of a seed. */
const misbehaving = ({ seed, streams, rates }: Faults): ScriptedService => {
  const dice = new Seeded(seed)
  const actions: ((request: SeenRequest) => void)[] = [
    (request) => request.refuse(),
    (request) => {
      if (dice.chance(0.5)) request.acceptSilently()
      request.link.server.reset(request.streamId, ErrorCode.INTERNAL_ERROR)
    },
    (request) => request.reject(dice.chance(0.5) ? 429 : 503, { reason: 'TooManyRequests' }),
    (request) => request.reject(403, { reason: 'ExpiredProviderToken' }),
    (request) => request.reject(503, { reason: 'Shutdown' }),
    // Never answered.
    (request) => {
      if (dice.chance(0.5)) request.acceptSilently()
    },
    (request) => {
      request.link.server.drain(Buffer.from('{"reason":"Shutdown"}'))
      request.accept()
    },
    (request) => request.link.server.goaway(ErrorCode.INTERNAL_ERROR),
    (request) => {
      if (dice.chance(0.5)) request.accept()
      request.link.cut(dice.chance(0.5) ? new Error('reset by peer') : undefined)
    },
    (request) => {
      request.link.server.setMaxConcurrentStreams(dice.below(streams * 2))
      request.accept()
    },
  ]
  const service: ScriptedService = new ScriptedService(
    {
      onConnect: () => (dice.chance(rates[0] ?? 0) ? new Error('connect ECONNREFUSED') : undefined),
      onRequest(request) {
        const action = actions.find((_, n) => dice.chance(rates[n] ?? 0)) ?? ((one) => one.accept())
        if (dice.chance(0.5)) action(request)
        else service.world.after(dice.below(200), () => action(request))
      },
    },
    seed,
  )
  service.world.serverOptions = { settings: { maxConcurrentStreams: streams } }
  return service
}

test('whatever a service does, each push has one result, and the result is true', async () => {
  await fc.assert(
    fc.asyncProperty(faults, async (given) => {
      const service = misbehaving(given)
      const client = clientOf(service, {
        limits: { answerMsMax: 5_000, queuedMsMax: 20_000, connectsPerMinuteMax: 1000 },
      })
      const results: PushResult[] = []
      const list = Array.from({ length: given.pushes }, (_, n) => ({
        ...push(n),
        whenAmbiguous: given.resends ? ('resend' as const) : undefined,
      }))
      const run = async (): Promise<void> => {
        if (given.viaMany) for await (const { result } of client.sendMany(list)) results.push(result)
        else await Promise.all(list.map(async (one) => results.push(await client.send(one))))
      }
      await service.world.until(run())
      await service.world.until(client.close())

      expect(results.length).toBe(given.pushes)
      expect(new Set(results.map(({ apnsId }) => apnsId)).size).toBe(given.pushes)
      const accepted = new Set(service.accepted)
      // Nothing is doubled: no push was accepted twice, unless that was asked for.
      if (!given.resends) expect(accepted.size).toBe(service.accepted.length)
      for (const result of results) {
        if (result.ok) expect(accepted).toContain(result.apnsId)
        else if (!result.ambiguous) expect(accepted).not.toContain(result.apnsId)
      }
      const oks = results.filter(({ ok }) => ok).length
      const rejected = results.filter((result) => !result.ok && result.status > 0).length
      expect(client.stats()).toMatchObject({
        accepted: oks,
        rejected,
        unanswered: given.pushes - oks - rejected,
        inFlight: 0,
        queued: 0,
        pausing: 0,
        connections: 0,
      })
    }),
    { numRuns: Number(process.env.APNS_RUNS ?? 150) },
  )
})

test('whenever callers take pushes back or close the client, each has one result, and the result is true', async () => {
  const callers = fc.record({
    given: faults,
    abortsAt: fc.array(fc.integer({ min: 0, max: 8_000 }), { maxLength: 20 }),
    closesAt: fc.integer({ min: 0, max: 12_000 }),
    drain: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(callers, async ({ given, abortsAt, closesAt, drain }) => {
      const service = misbehaving(given)
      const { world } = service
      const client = clientOf(service, {
        limits: { answerMsMax: 5_000, queuedMsMax: 20_000, connectsPerMinuteMax: 1000, closeMsMax: 3_000 },
      })
      const signals = abortsAt.map((at) => {
        const controller = new AbortController()
        world.after(at, () => controller.abort())
        return controller.signal
      })
      const results: PushResult[] = []
      const all = Array.from({ length: given.pushes }, async (_, n) => {
        const signal = signals[n % (2 * signals.length + 1)]
        // Some are sent later, also to a client that is closed by then.
        if (n % 3 === 0) await new Promise<void>((resolve) => world.after(n * 40, resolve))
        const whenAmbiguous = given.resends ? ('resend' as const) : undefined
        results.push(await client.send({ ...push(n), whenAmbiguous, ...(signal && { signal }) }))
      })
      const closed = new Promise<void>((resolve) => world.after(closesAt, resolve)).then(() =>
        client.close({ drain }),
      )
      await world.until(Promise.all([closed, ...all]))

      expect(results.length).toBe(given.pushes)
      const accepted = new Set(service.accepted)
      if (!given.resends) expect(accepted.size).toBe(service.accepted.length)
      for (const result of results) {
        if (result.ok) expect(accepted).toContain(result.apnsId)
        else if (!result.ambiguous) expect(accepted).not.toContain(result.apnsId)
      }
      expect(client.stats()).toMatchObject({ inFlight: 0, queued: 0, pausing: 0, connections: 0 })
      expect(world.isKeptAlive).toBe(false)
    }),
    { numRuns: Number(process.env.APNS_RUNS ?? 60) },
  )
})
