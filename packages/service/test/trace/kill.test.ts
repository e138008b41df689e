import { apnsIdText } from '@carillon/wire'
import { expect, test } from 'vitest'
import { JournalFollower } from '../../src/trace/drivers/journal-follower.ts'
import { linesBeforeKill } from '../lines-before-kill.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { idOf, TraceWorld } from './trace-world.ts'

const script = new URL('record-and-tell.ts', import.meta.url)

test.each([1, 7, 25])('kill -9 after %i writes: all that was written is read, in order', async (lines) => {
  const directory = temporaryDirectory()
  const written = Number((await linesBeforeKill(script, directory, lines)).at(-1))
  const world = new TraceWorld(directory)
  world.nowMs += 60_000
  const { journal } = await world.open()
  await journal!.files.flush()
  const page = await new JournalFollower(journal!.files, {}, undefined).next(1_000_000)
  const ids = page.events.map(({ apnsId }) => apnsId)
  expect(page.events.at(-1)).toMatchObject({ stage: 'lost', why: 'killed' })
  expect(ids.length - 1).toBeGreaterThanOrEqual(written)
  expect(ids.slice(0, -1)).toEqual(
    Array.from({ length: ids.length - 1 }, (_, number) => apnsIdText(idOf(number))),
  )
  const found = await journal!.reader.newest({ apnsId: idOf(written - 1) }, 10)
  expect(found.events).toHaveLength(1)
})
