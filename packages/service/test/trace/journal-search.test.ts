import { apnsIdText } from '@carillon/wire'
import { describe, expect, test } from 'vitest'
import type { TraceReading } from '../../src/trace/drivers/open-trace.ts'
import { bytesPerTurn } from '../../src/trace/drivers/segment-files.ts'
import { stageNumbers } from '../../src/trace/stages.ts'
import {
  bundleId,
  everything,
  idOf,
  messageOf,
  smallBytesMax,
  startMs,
  TraceWorld,
  tokenOf,
} from './trace-world.ts'

/** More than two segments. */
const manyRecords = Math.ceil((smallBytesMax * 0.6) / 80)

/** Calls back in each turn of the event loop; returns how to stop. */
function eachTurn(work: () => void): () => void {
  let isStopped = false
  const turn = () => {
    if (isStopped) return
    work()
    setImmediate(turn)
  }
  setImmediate(turn)
  return () => {
    isStopped = true
  }
}

describe('a search', () => {
  test('sees everything that happened before it, newest first, with all that is known', async () => {
    const world = new TraceWorld()
    const { trace, journal } = await world.open()
    const message = messageOf(1)
    trace.received(message, '0e0e0e0e-1111-2222-3333-444444444444')
    trace.stored(message, 'offline', startMs + 1)
    trace.replaced(message, idOf(2), startMs + 2)
    trace.expired(messageOf(3), startMs + 3)
    trace.discarded(messageOf(4), 'disabled', true, startMs + 4)
    trace.sent(messageOf(5), true, startMs + 5)
    trace.acknowledged(messageOf(5), 0, true, startMs + 6)
    trace.reported(messageOf(5), 'shown', startMs + 7)
    trace.reported(messageOf(5), 'opened', startMs + 8)
    trace.tokenInactive(tokenOf(6), bundleId, bundleId, startMs + 9)
    trace.rejected(
      {
        ...{ apnsId: apnsIdText(idOf(7)), token: 'AB'.repeat(32), topic: `${bundleId}.voip` },
        ...{ pushType: 'voip', priority: 10, reason: 'BadDeviceToken' },
      },
      startMs + 10,
    )
    const { events, next } = await everything(journal!)
    expect(next).toBeUndefined()
    const begin = { apnsId: apnsIdText(idOf(1)), token: Buffer.from(tokenOf(1)).toString('hex') }
    const about = { app: bundleId, topic: bundleId, pushType: 'alert', priority: 10, device: 1 }
    expect(events.map(({ cursor: _, at: __, ...event }) => event).reverse()).toEqual([
      { stage: 'received', ...begin, uniqueId: '0e0e0e0e-1111-2222-3333-444444444444', ...about },
      { stage: 'stored', ...begin, ...about, why: 'offline' },
      { stage: 'replaced', ...begin, ...about, by: apnsIdText(idOf(2)), fromStorage: true },
      { stage: 'expired', ...idsOf(3), ...about, fromStorage: true },
      { stage: 'discarded', ...idsOf(4), ...about, why: 'disabled', fromStorage: true },
      { stage: 'sent', ...idsOf(5), ...about, fromStorage: true },
      { stage: 'acknowledged', ...idsOf(5), ...about, status: 0, fromStorage: true },
      { stage: 'shown', ...idsOf(5), ...about },
      { stage: 'opened', ...idsOf(5), ...about },
      { stage: 'tokenInactive', token: idsOf(6).token, app: bundleId, topic: bundleId },
      {
        ...{ stage: 'rejected', apnsId: idsOf(7).apnsId, token: 'ab'.repeat(32), app: bundleId },
        ...{ topic: `${bundleId}.voip`, pushType: 'voip', priority: 10, reason: 'BadDeviceToken' },
      },
    ])
    expect(events.map(({ at }) => Date.parse(at) - startMs)).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
  })

  test('tells a broadcast once for all its devices', async () => {
    const world = new TraceWorld()
    const { trace, journal, metrics } = await world.open()
    const channel = Buffer.from(idOf(2)).toString('base64')
    const broadcast = { requestId: idOf(1), app: bundleId, channelId: idOf(2), priority: 5 } as const
    trace.broadcast(broadcast, 'received', 0, startMs)
    trace.broadcast(broadcast, 'stored', 0, startMs + 1)
    trace.broadcast(broadcast, 'sent', 1_000_000, startMs + 2)
    trace.broadcast({ ...broadcast, requestId: idOf(3) }, 'sent', 0, startMs + 3)
    const rejected = { token: '', topic: bundleId, pushType: 'liveactivity', priority: 5 }
    const reason = 'ChannelNotRegistered'
    for (const channelId of [channel, 'no channel'])
      trace.rejected({ ...rejected, apnsId: apnsIdText(idOf(4)), channelId, reason }, startMs + 4)
    const { events } = await everything(journal!)
    const about = { app: bundleId, topic: bundleId, pushType: 'liveactivity', priority: 5 }
    const accepted = { apnsId: idsOf(1).apnsId, channel, ...about }
    expect(events.map(({ cursor: _, at: __, ...event }) => event).reverse()).toEqual([
      { stage: 'received', ...accepted },
      { stage: 'stored', ...accepted, why: 'channel' },
      { stage: 'sent', ...accepted, devices: 1_000_000 },
      { stage: 'sent', ...accepted, apnsId: idsOf(3).apnsId, devices: 0 },
      { stage: 'rejected', ...accepted, apnsId: idsOf(4).apnsId, reason },
      { stage: 'rejected', ...about, apnsId: idsOf(4).apnsId, reason },
    ])
    expect((await journal!.reader.newest({ channelId: idOf(2) }, 100)).events).toHaveLength(5)
    expect((await journal!.reader.newest({ channelId: idOf(1) }, 100)).events).toEqual([])
    // Broadcasts have counts of their own.
    expect([...metrics.counts.sinceStart()].map(({ counter }) => counter)).toEqual([`rejected:${reason}`])
  })

  test('a token that was rejected is told as it was sent, not filled up to the size of ours', async () => {
    const world = new TraceWorld()
    const { trace, journal } = await world.open()
    const push = { apnsId: apnsIdText(idOf(1)), topic: bundleId, pushType: 'alert', priority: 10 }
    for (const token of ['ABCD', 'ab'.repeat(32), 'cd'.repeat(100), 'abc', 'nohex'])
      trace.rejected({ ...push, token, reason: 'BadDeviceToken' }, startMs)
    const { events } = await everything(journal!)
    // The longest is cut to what the journal has room for.
    const told = ['abcd', 'ab'.repeat(32), 'cd'.repeat(32), undefined, undefined]
    expect(events.map(({ token }) => token).reverse()).toEqual(told)
  })

  test('finds by id, token, topic, app, stage and time', async () => {
    const world = new TraceWorld()
    const { trace, journal } = await world.open()
    for (let number = 0; number < 10; number++) {
      const other = number % 2 === 0 ? { topic: `${bundleId}.voip` } : { app: 'com.example.other' }
      const message = messageOf(number, { ...other, receivedAtMs: startMs + number })
      trace.received(message, apnsIdText(idOf(100 + number)))
      trace.sent(message, false, startMs + number)
    }
    const found = async (query: Parameters<TraceReading['reader']['newest']>[0]) =>
      (await journal!.reader.newest(query, 100)).events.length
    expect(await found({ apnsId: idOf(3) })).toBe(2)
    expect(await found({ otherId: idOf(103) })).toBe(1)
    expect(await found({ token: tokenOf(3) })).toBe(2)
    expect(await found({ token: tokenOf(3), apnsId: idOf(4) })).toBe(0)
    expect(await found({ topic: `${bundleId}.voip` })).toBe(10)
    expect(await found({ app: 'com.example.other' })).toBe(10)
    expect(await found({ app: 'com.example.absent' })).toBe(0)
    expect(await found({ stages: new Set([stageNumbers.sent]) })).toBe(10)
    expect(await found({ fromMs: startMs + 2, toMs: startMs + 4 })).toBe(4)
    expect(await found({ fromMs: startMs + 100 })).toBe(0)
  })

  test('lets everything else have its turn, also where no block can match', async () => {
    const world = new TraceWorld()
    const { trace, journal } = await world.open()
    // A topic for each push: the texts of a block are as much work as its records.
    for (let number = 0; number < 20_000; number++) {
      trace.received(messageOf(number, { topic: `${bundleId}.${number}` }), '')
      if (number % 5000 === 0) await journal!.files.flush()
    }
    await journal!.files.flush()
    const slices = journal!.files.segments.reduce((sum, { bytes }) => sum + bytes, 0) / bytesPerTurn
    let turns = 0
    const stop = eachTurn(() => turns++)
    expect((await journal!.reader.newest({ app: 'com.example.none' }, 100)).events).toEqual([])
    stop()
    // Once to check the blocks, once to look into them.
    expect(turns).toBeGreaterThan(1.5 * slices)
  })

  test('goes page by page over several files, each event once, while more is written', async () => {
    const world = new TraceWorld()
    const { trace, journal, statistics } = await world.open({ bytesMax: smallBytesMax })
    for (let number = 0; number < manyRecords; number++) {
      trace.received(messageOf(number), '')
      if (number % 2000 === 0) await journal!.files.flush()
    }
    const seen: (string | undefined)[] = []
    let page = await journal!.reader.newest({ app: bundleId }, 7000)
    for (;;) {
      seen.push(...page.events.map(({ apnsId }) => apnsId))
      if (page.next === undefined) break
      trace.received(messageOf(1_000_000 + seen.length), '')
      page = await journal!.reader.newest({ app: bundleId }, 7000, page.next)
    }
    expect(seen.length).toBe(manyRecords)
    expect(seen[0]).toBe(apnsIdText(idOf(manyRecords - 1)))
    expect(new Set(seen).size).toBe(manyRecords)
    expect(statistics).toMatchObject({ lostRecords: 0, segments: 3 })
    for (const number of [0, manyRecords >> 1, manyRecords - 1]) {
      const { events } = await journal!.reader.newest({ apnsId: idOf(number) }, 10)
      expect(events.map(({ token }) => token)).toEqual([Buffer.from(tokenOf(number)).toString('hex')])
    }
  })
})

function idsOf(number: number) {
  return { apnsId: apnsIdText(idOf(number)), token: Buffer.from(tokenOf(number)).toString('hex') }
}
