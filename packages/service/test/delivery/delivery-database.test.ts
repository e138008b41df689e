import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { type DatabaseFixture, openDatabaseFixture } from '../store/store-fixture.ts'
import { type DeliveryFixture, deliveryOver, type FakePhone } from './delivery-fixture.ts'

/*
 * The model of `delivery-model.test.ts` over the real store, whose commits, reads and removals happen when the disk
 * is ready: what its manual store takes for granted.
 */
type Step =
  | { readonly do: 'accept'; readonly count: number }
  | { readonly do: 'acknowledge'; readonly count: number }
  | { readonly do: 'lose'; readonly onTheWay: number }
  | { readonly do: 'connect' | 'topics' | 'tick' }
  /** The event loop turns so often. */
  | { readonly do: 'turn'; readonly count: number }

const upTo = (max: number) => fc.integer({ min: 1, max })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('accept' as const), count: upTo(100) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('turn' as const), count: upTo(30) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('acknowledge' as const), count: upTo(120) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('connect' as const, 'topics', 'tick') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const), onTheWay: fc.nat(9) }) },
)

let database: DatabaseFixture
beforeAll(async () => {
  database = await openDatabaseFixture()
  return () => database.close()
})

let devices = 0

class Run {
  readonly device = ++devices
  readonly accepted: number[] = []
  readonly shown: number[] = []
  readonly #fixture: DeliveryFixture
  #phone: FakePhone | undefined
  #taken = 0
  #count = 0
  #undecided = 0

  constructor(withGrace: boolean) {
    this.#fixture = deliveryOver(database.store, withGrace ? (run) => void setImmediate(run) : undefined)
    this.#fixture.settings.inboxMax = limits.inboxPerAppMax
  }

  async apply(step: Step): Promise<void> {
    switch (step.do) {
      case 'accept':
        for (let index = 0; index < step.count; index++) this.#accept()
        break
      case 'acknowledge':
        this.#take(this.#phone?.got.length ?? 0)
        for (const { id } of this.#phone?.got.splice(0, step.count) ?? []) {
          this.#taken--
          this.#phone!.inbox.acknowledged(id, 0)
        }
        break
      case 'lose':
        this.#take((this.#phone?.got.length ?? 0) - step.onTheWay)
        this.#phone?.inbox.close()
        this.#phone = undefined
        break
      case 'connect':
        this.#take(this.#phone?.got.length ?? 0)
        this.#phone = this.#fixture.connect({ device: this.device })
        this.#taken = 0
        break
      case 'topics':
        this.#phone?.inbox.topicsChanged()
        break
      case 'tick':
        database.store.tick(this.#fixture.clock.nowMs)
        break
      case 'turn':
        for (let index = 0; index < step.count; index++) await turn()
        break
    }
  }

  /** The device is connected and acknowledges until nothing is stored for it and every acceptance is decided. */
  async settle(): Promise<void> {
    await this.apply({ do: 'connect' })
    for (let isStored = true; isStored || this.#undecided > 0; ) {
      await turn()
      await this.apply({ do: 'acknowledge', count: Number.MAX_SAFE_INTEGER })
      await this.apply({ do: 'tick' })
      const { messages, hasMore } = await database.store.read(this.device, 0, database.store.lastSeq)
      isStored = messages.length > 0 || hasMore
    }
  }

  #accept(): void {
    const number = ++this.#count
    this.#undecided++
    void this.#fixture.accept(`${number}`, { device: this.device }).then((outcome) => {
      this.#undecided--
      if (outcome === 'accepted') this.accepted.push(number)
    })
  }

  #take(until: number): void {
    for (; this.#taken < until; this.#taken++) {
      const number = Number(this.#phone!.got[this.#taken]!.name)
      if (!this.shown.includes(number)) this.shown.push(number)
    }
  }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
const inOrder = (numbers: readonly number[]) => numbers.toSorted((left, right) => left - right)

test.each([
  ['every message written at once', false],
  ['with the wait for an acknowledgement', true],
])('over a real database everything accepted is shown once, in order: %s', async (_name, withGrace) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      const run = new Run(withGrace)
      for (const each of steps) await run.apply(each)
      await run.settle()
      expect(run.shown).toEqual(inOrder(run.shown))
      expect(inOrder(run.accepted)).toEqual(run.shown)
    }),
    { numRuns: 100 },
  )
})
