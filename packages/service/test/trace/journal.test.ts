import { appendFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { apnsIdText } from '@carillon/wire'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { limits } from '../../src/limits.ts'
import { hourOf } from '../../src/metrics/metric-counts.ts'
import { JournalFollower } from '../../src/trace/drivers/journal-follower.ts'
import { TraceJournal } from '../../src/trace/drivers/trace-journal.ts'
import { stageNumbers } from '../../src/trace/stages.ts'
import { decodePosition } from '../../src/trace/trace-position.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
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

/** The files of the journal, by their ending. */
function filesOf(world: TraceWorld, ending: string): string[] {
  const folder = join(world.directory, 'trace')
  const names = readdirSync(folder).filter((name) => name.endsWith(ending))
  return names.sort().map((name) => join(folder, name))
}

const hourMs = 3_600_000

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
