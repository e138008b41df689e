import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { PowerPolicy } from '../../src/power/power-policy.ts'
import { type DatabaseFixture, openDatabaseFixture } from '../store/store-fixture.ts'
import { topic } from './delivery-fixture.ts'
import { otherTopic, PipelineRun, pipelineStep } from './pipeline-run.ts'

/*
 * Whatever providers ask for and whatever a device does and says of its power, with inboxes of every size, collapse
 * ids and expirations, over a real store: each accepted notification comes to exactly one end; what ends as
 * acknowledged was shown, what was shown came once, and of each app in order of acceptance.
 */
let database: DatabaseFixture
beforeAll(async () => {
  database = await openDatabaseFixture()
  return () => database.close()
})

const inOrder = (numbers: readonly number[]) => numbers.toSorted((left, right) => left - right)

test.each([
  ['Apple’s rule, every message written at once', 1, false],
  ['Apple’s rule, with the wait for an acknowledgement', 1, true],
  ['a short queue', 3, true],
  ['a long queue', 1000, true],
] as const)('%s', async (_name, inboxMax, withGrace) => {
  await fc.assert(
    fc.asyncProperty(fc.array(pipelineStep, { minLength: 5, maxLength: 40 }), async (steps) => {
      const run = new PipelineRun(database, { inboxMax, withGrace, power: new PowerPolicy() })
      for (const each of steps) await run.apply(each)
      await run.settle()
      const wantedOf = (name: string) => run.wanted.get(name)!
      expect(run.trace.endsOtherThanOnce(run.accepted)).toEqual([])
      for (const app of [topic, otherTopic]) {
        // Background pushes above their budget are overtaken by others.
        const shown = run.device.shown.filter(
          (name) => wantedOf(name).topic === app && !wantedOf(name).isBackground,
        )
        expect(shown.map(Number)).toEqual(inOrder(shown.map(Number)))
      }
      for (const name of run.accepted) {
        const stages = run.trace.of(name)
        const isTaken = stages.some((stage) => stage.startsWith('acknowledged'))
        if (isTaken) expect(run.device.shown).toContain(name)
        const isSure = inboxMax === 1000 && isPlain(wantedOf(name))
        if (isSure && !stages.some((stage) => stage.startsWith('discarded'))) {
          expect([name, stages, isTaken]).toEqual([name, stages, true])
        }
      }
    }),
    { numRuns: 60 },
  )
})

/** Nothing takes its place, and it does not expire in the time that these runs take. */
function isPlain(wanted: { isBackground: boolean; collapseId: string; life: number }): boolean {
  return !wanted.isBackground && wanted.collapseId === '' && wanted.life > 90_000
}
