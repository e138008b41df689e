import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { type DatabaseFixture, openDatabaseFixture } from '../store/store-fixture.ts'
import { topic } from './delivery-fixture.ts'
import { PipelineRun, type PipelineStep, upTo, type Wanted } from './pipeline-run.ts'

/*
 * The model of `delivery-model.test.ts` over the real store, whose commits, reads and removals happen when the disk
 * is ready: what its manual store takes for granted.
 */
const plain: Wanted = { topic, priority: 10, isBackground: false, collapseId: '', life: 100_000 }

const step: fc.Arbitrary<PipelineStep> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('accept' as const),
      wanted: upTo(100).map((count) => new Array<Wanted>(count).fill(plain)),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('turn' as const), count: upTo(30) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('acknowledge' as const), count: upTo(120) }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<PipelineStep>(
      { do: 'connect' },
      // What it wants already: it only names its topics once more.
      { do: 'wish', topic, wish: 'deliver' },
      { do: 'pass', seconds: 0 },
    ),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const), onTheWay: fc.nat(9) }) },
)

let database: DatabaseFixture
beforeAll(async () => {
  database = await openDatabaseFixture()
  return () => database.close()
})

const inOrder = (numbers: readonly number[]) => numbers.toSorted((left, right) => left - right)

test.each([
  ['every message written at once', false],
  ['with the wait for an acknowledgement', true],
])('over a real database everything accepted is shown once, in order: %s', async (_name, withGrace) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      const run = new PipelineRun(database, { inboxMax: limits.inboxPerAppMax, withGrace })
      for (const each of steps) await run.apply(each)
      await run.settle()
      const shown = run.device.shown.map(Number)
      expect(shown).toEqual(inOrder(shown))
      expect(inOrder(run.accepted.map(Number))).toEqual(shown)
      expect(run.trace.endsOtherThanOnce(run.accepted)).toEqual([])
    }),
    { numRuns: 100 },
  )
})
