import { appendFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { apnsIdText } from '@carillon/wire'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { limits } from '../../src/limits.ts'
import { hourOf } from '../../src/metrics/metric-counts.ts'
import { JournalFollower } from '../../src/trace/drivers/journal-follower.ts'
import type { TraceReading } from '../../src/trace/drivers/open-trace.ts'
import { bytesPerTurn } from '../../src/trace/drivers/segment-files.ts'
import { TraceJournal } from '../../src/trace/drivers/trace-journal.ts'
import { stageNumbers } from '../../src/trace/stages.ts'
import { decodePosition } from '../../src/trace/trace-position.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { bundleId, idOf, messageOf, startMs, TraceWorld, tokenOf } from './trace-world.ts'

/** The files of the journal, by their ending. */
function filesOf(world: TraceWorld, ending: string): string[] {
  const folder = join(world.directory, 'trace')
  const names = readdirSync(folder).filter((name) => name.endsWith(ending))
  return names.sort().map((name) => join(folder, name))
}

const everything = (journal: TraceReading) => journal.reader.newest({}, 100_000)

const hourMs = 3_600_000

/** A segment is a quarter of it. */
const smallBytesMax = 4 * 1024 * 1024
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

describe('a follower', () => {
  test('reads on from any cursor without a gap or a repetition, across restarts', async () => {
    const world = new TraceWorld()
    const seen: (string | undefined)[] = []
    let cursor: string | undefined
    for (let run = 0; run < 3; run++) {
      const { trace, journal } = await world.open()
      for (let number = 0; number < 50; number++) trace.received(messageOf(run * 50 + number), '')
      await journal!.files.flush()
      // A new follower for every page, as clients come that have nothing but their cursor.
      for (;;) {
        const after = cursor === undefined ? undefined : decodePosition(cursor)
        const page = await new JournalFollower(journal!.files, {}, after).next(7)
        expect(page.gap).toBe(false)
        seen.push(...page.events.map(({ apnsId }) => apnsId))
        cursor = page.cursor
        if (page.isAtEnd) break
      }
      await world.close()
      world.nowMs += 1000
    }
    expect(seen).toEqual(Array.from({ length: 150 }, (_, number) => apnsIdText(idOf(number))))
  })

  test('one that comes again is not taken for further behind than it is', async () => {
    const world = new TraceWorld()
    const { trace, journal } = await world.open()
    for (let number = 0; number < 10_000; number++) trace.received(messageOf(number), '')
    const end = await JournalFollower.end(journal!.files)
    const [{ bytes } = { bytes: 0 }] = journal!.files.segments
    expect(new JournalFollower(journal!.files, {}, undefined).bytesBehind).toBe(bytes)
    expect(new JournalFollower(journal!.files, {}, end).bytesBehind).toBeLessThan(bytes / 50)
  })

  test('the cursor of an event leads behind it', async () => {
    const world = new TraceWorld()
    const { trace, journal } = await world.open()
    for (let number = 0; number < 5; number++) trace.received(messageOf(number), '')
    const { events } = await everything(journal!)
    const { cursor } = events.find(({ apnsId }) => apnsId === apnsIdText(idOf(2)))!
    const page = await new JournalFollower(journal!.files, {}, decodePosition(cursor)).next(10)
    expect(page.events.map(({ apnsId }) => apnsId)).toEqual([idOf(3), idOf(4)].map(apnsIdText))
  })

  test('says that there is a gap where its cursor is older than what is kept, or of another journal', async () => {
    const world = new TraceWorld()
    const first = await world.open({ keepDays: 7 })
    first.trace.received(messageOf(0), '')
    first.trace.received(messageOf(1), '')
    await first.journal!.files.flush()
    const old = (await everything(first.journal!)).events[1]!.cursor
    await world.close()
    world.nowMs += 8 * 24 * 60 * 60 * 1000
    const second = await world.open({ keepDays: 7 })
    second.trace.received(messageOf(2, { receivedAtMs: world.nowMs }), '')
    await second.journal!.files.flush()
    for (const cursor of [old, '999999999999999.0']) {
      const follower = new JournalFollower(second.journal!.files, {}, decodePosition(cursor))
      const page = await follower.next(10)
      expect([page.gap, page.events.map(({ apnsId }) => apnsId)]).toEqual([true, [apnsIdText(idOf(2))]])
      expect((await follower.next(10)).gap).toBe(false)
    }
    const beginning = await new JournalFollower(second.journal!.files, {}, undefined).next(10)
    expect(beginning.gap).toBe(false)
  })
})

describe('after a crash', () => {
  test('what is torn is cut off, the rest is read, and the gap is told', async () => {
    const world = new TraceWorld()
    const before = await world.open()
    for (let number = 0; number < 3; number++) {
      before.trace.received(messageOf(number), '')
      await before.journal!.files.flush()
    }
    const [file] = filesOf(world, '.trace') as [string]
    const whole = readFileSync(file)
    await world.close()
    // As after kill -9: the last block half written, no filter.
    const torn = whole.subarray(0, whole.length - 30)
    for (const filter of filesOf(world, '.filter')) writeFileSync(filter, 'half')
    writeFileSync(file, torn)
    world.nowMs += 1
    const { trace, journal } = await world.open()
    trace.received(messageOf(9), '')
    const { events } = await everything(journal!)
    expect(events.map(({ stage, apnsId, why }) => apnsId ?? `${stage} ${why}`)).toEqual([
      apnsIdText(idOf(9)),
      'lost killed',
      apnsIdText(idOf(1)),
      apnsIdText(idOf(0)),
    ])
    expect(statSync(file).size).toBe(Math.round((whole.length / 3) * 2))
  })

  test('garbage at the end of a file changes nothing before it', async () => {
    const world = new TraceWorld()
    const before = await world.open()
    before.trace.received(messageOf(1), '')
    await world.close()
    const [file] = filesOf(world, '.trace') as [string]
    for (const filter of filesOf(world, '.filter')) writeFileSync(filter, '')
    appendFileSync(file, Buffer.alloc(5000, 'CTB1'))
    world.nowMs += 1
    const { journal } = await world.open()
    expect((await everything(journal!)).events.map(({ apnsId }) => apnsId)).toEqual([
      undefined,
      apnsIdText(idOf(1)),
    ])
  })
})

describe('retention', () => {
  test('by age: what is older than the set time goes at the next start', async () => {
    const world = new TraceWorld()
    const first = await world.open({ keepDays: 1 })
    first.trace.received(messageOf(1), '')
    await world.close()
    world.nowMs += 23 * 60 * 60 * 1000
    const second = await world.open({ keepDays: 1 })
    expect((await everything(second.journal!)).events).toHaveLength(1)
    await world.close()
    world.nowMs += 2 * 60 * 60 * 1000
    const third = await world.open({ keepDays: 1 })
    expect((await everything(third.journal!)).events).toHaveLength(0)
    expect([filesOf(world, '.trace'), filesOf(world, '.filter')]).toEqual([[], []])
  })

  test('by size: the oldest files go', async () => {
    const world = new TraceWorld()
    const bytesMax = 1024 * 1024
    const { trace, journal, statistics } = await world.open({ bytesMax })
    const count = 40_000
    for (let number = 0; number < count; number++) {
      trace.received(messageOf(number), '')
      if (number % 1000 === 0) await journal!.files.flush()
    }
    await world.close()
    expect(statistics.lostRecords).toBe(0)
    const sizes = [...filesOf(world, '.trace'), ...filesOf(world, '.filter')].map(
      (file) => statSync(file).size,
    )
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(bytesMax * 1.5)
    world.nowMs += 1
    const again = await world.open({ bytesMax })
    expect((await everything(again.journal!)).events[0]?.apnsId).toBe(apnsIdText(idOf(count - 1)))
  })
})

describe('the journal alone', () => {
  const openJournal = async (now: () => number) => {
    const { journal } = await TraceJournal.open({
      ...{ directory: join(temporaryDirectory(), 'trace'), now, keepMs: hourMs, bytesMax: smallBytesMax },
      ...{ onTrouble: () => {}, onLost: () => {} },
    })
    onTestFinished(() => journal.close())
    const writeOne = (atMs: number) => {
      const block = journal.emptyBlock()!
      const subject = { app: bundleId, topic: bundleId, pushType: '', reason: '', block: undefined, place: 0 }
      block.append(subject, atMs, stageNumbers.sent, 0, 1, 10, 0, idOf(1), idOf(2), tokenOf(1))
      journal.write(block)
      return journal.written()
    }
    const files = {
      segments: journal.segments,
      flush: () => journal.written(),
      get deleted() {
        return journal.deleted
      },
    }
    return { journal, files, writeOne }
  }

  test('a disk that has always more to write keeps no search waiting', async () => {
    const { journal, writeOne } = await openJournal(() => startMs)
    const first = writeOne(startMs)
    const stop = journal.onWritten(() => void writeOne(startMs))
    await first
    await journal.written()
    stop()
  })

  test('whoever has read everything is told of no gap when all of it has become too old', async () => {
    let nowMs = startMs
    const { journal, files, writeOne } = await openJournal(() => nowMs)
    await writeOne(nowMs)
    await writeOne(nowMs)
    const [early, staying] = [
      new JournalFollower(files, {}, undefined),
      new JournalFollower(files, {}, undefined),
    ]
    const behind = await early.next(1)
    const { cursor } = await staying.next(10)
    nowMs += 48 * hourMs
    await journal.retain()
    expect(journal.segments).toEqual([])
    const back = new JournalFollower(files, {}, decodePosition(cursor))
    expect(await back.next(10)).toMatchObject({ events: [], gap: false, cursor })
    await writeOne(nowMs)
    for (const follower of [back, staying, new JournalFollower(files, {}, decodePosition(cursor))]) {
      const { events, gap } = await follower.next(10)
      expect([events.length, gap]).toEqual([1, false])
    }
    for (const follower of [early, new JournalFollower(files, {}, decodePosition(behind.cursor))]) {
      const { events, gap } = await follower.next(10)
      expect([events.length, gap]).toEqual([1, true])
    }
  })
})

test('what happens after the turn of the hour is counted in the next one', async () => {
  const world = new TraceWorld()
  const { trace, metrics } = await world.open()
  trace.received(messageOf(1), '')
  world.nowMs += hourMs
  await vi.waitUntil(() => metrics.counts.hourMs === hourOf(world.nowMs), { timeout: 20_000 })
  trace.received(messageOf(2), '')
  trace.received(messageOf(3), '')
  const { hours } = await metrics.report({ fromMs: 0, toMs: world.nowMs + hourMs })
  expect(hours.map(({ numbers }) => numbers.received)).toEqual([1, 2])
})

test('records that find no room are counted, and the gap is in the journal', async () => {
  const world = new TraceWorld()
  const { trace, journal, statistics, metrics } = await world.open()
  const perBlock = Math.floor(limits.traceBlockBytes / 80)
  // All in one turn: nothing can reach the disk meanwhile.
  const count = perBlock * (limits.traceBlocksMax + 3)
  for (let number = 0; number < count; number++) trace.received(messageOf(number), '')
  const { lostRecords } = statistics
  expect(lostRecords).toBeGreaterThan(0)
  await journal!.files.flush()
  trace.received(messageOf(count), '')
  const { events } = await journal!.reader.newest({}, 2)
  expect(events.map(({ stage, records }) => [stage, records])).toEqual([
    ['received', undefined],
    ['lost', lostRecords],
  ])
  const [received] = [...metrics.counts.sinceStart()]
  expect(received).toMatchObject({ counter: 'received', value: count + 1 })
})

test('a flood of rejected pushes is counted, and recorded up to a bound', async () => {
  const world = new TraceWorld()
  const { trace, journal, metrics } = await world.open()
  const push = {
    apnsId: apnsIdText(idOf(1)),
    token: '',
    topic: 'x'.repeat(9000),
    pushType: 'y',
    priority: 10,
  }
  const count = limits.rejectedTracedPerSecondMax * 3
  for (let number = 0; number < count; number++) {
    trace.rejected({ ...push, reason: 'MissingProviderToken' }, startMs)
  }
  trace.rejected({ ...push, reason: 'MissingProviderToken' }, startMs + 1000)
  const { events } = await everything(journal!)
  expect(events).toHaveLength(limits.rejectedTracedPerSecondMax + 1)
  expect(events[0]).toEqual({
    ...{ cursor: expect.any(String), at: expect.any(String), stage: 'rejected', apnsId: push.apnsId },
    ...{ priority: 10, reason: 'MissingProviderToken' },
  })
  expect([...metrics.counts.sinceStart()]).toEqual([
    { app: '', pushType: '', priority: 10, counter: 'rejected:MissingProviderToken', value: count + 1 },
  ])
})

test('without a journal nothing is written and everything counted', async () => {
  const world = new TraceWorld()
  const { trace, journal, metrics, statistics } = await world.open({ enabled: false })
  trace.received(messageOf(1), '')
  expect([journal, readdirSync(world.directory).includes('trace')]).toEqual([undefined, false])
  expect([...metrics.counts.thisHour()]).toHaveLength(1)
  expect(statistics.bytes).toBe(0)
})

function idsOf(number: number) {
  return { apnsId: apnsIdText(idOf(number)), token: Buffer.from(tokenOf(number)).toString('hex') }
}
