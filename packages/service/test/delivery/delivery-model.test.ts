import fc from 'fast-check'
import { expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { type DeliveryFixture, deliveryOver, type FakePhone } from './delivery-fixture.ts'
import { ManualStore } from './manual-store.ts'

/*
 * Whatever the order of commits, reads, acknowledgements, lost connections and restarts: with a queue, everything that
 * was accepted is shown exactly once, in order of acceptance, by a device that knows what it has shown.
 */
type Step =
  | { readonly do: 'accept'; readonly count: number }
  | { readonly do: 'beginCommit' | 'endCommit' | 'answerReads' | 'round' | 'connect' | 'restart' }
  /** How many of what it got and did not acknowledge the device acknowledges. */
  | { readonly do: 'acknowledge'; readonly count: number }
  /** The connection is lost, with the last so many notifications still on their way. */
  | { readonly do: 'lose'; readonly onTheWay: number }
  | { readonly do: 'topics' }
  /** The database takes no more, or takes more again. */
  | { readonly do: 'full'; readonly isFull: boolean }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('accept' as const), count: fc.integer({ min: 1, max: 12 }) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'beginCommit' as const,
        'endCommit' as const,
        'answerReads' as const,
        'round' as const,
      ),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('acknowledge' as const), count: fc.integer({ min: 1, max: 20 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('connect' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('topics' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('full' as const), isFull: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('lose' as const), onTheWay: fc.integer({ min: 0, max: 5 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
)

class Run {
  readonly store = new ManualStore()
  readonly accepted: string[] = []
  /** What the device has shown, in order; it recognises what comes again. */
  readonly shown: string[] = []
  readonly #withGrace: boolean
  #timers: (() => void)[] = []
  #fixture: DeliveryFixture
  #phone: FakePhone | undefined
  #taken = 0
  #count = 0

  constructor(withGrace: boolean) {
    this.#withGrace = withGrace
    this.#fixture = this.#start()
  }

  async apply(step: Step): Promise<void> {
    switch (step.do) {
      case 'accept':
        for (let index = 0; index < step.count; index++) this.#accept()
        break
      case 'beginCommit':
        this.store.endCommit()
        this.store.beginCommit()
        break
      case 'endCommit':
        this.store.endCommit()
        break
      case 'answerReads':
        await this.store.answerReads()
        break
      case 'round':
        for (const run of this.#timers.splice(0)) run()
        break
      case 'acknowledge':
        this.#take(this.#phone?.got.length ?? 0)
        for (const { id } of this.#phone?.got.splice(0, step.count) ?? []) {
          this.#taken--
          this.#phone!.inbox.acknowledged(id, 0)
        }
        break
      case 'topics':
        this.#phone?.inbox.topicsChanged()
        break
      case 'full':
        this.store.isFull = step.isFull
        break
      case 'lose':
        this.#take((this.#phone?.got.length ?? 0) - step.onTheWay)
        this.#phone?.inbox.close()
        this.#phone = undefined
        break
      case 'connect':
        // Without a word of farewell where one is connected: the new session replaces the old one.
        this.#take(this.#phone?.got.length ?? 0)
        this.#phone = this.#fixture.connect()
        this.#taken = 0
        break
      case 'restart':
        this.#phone = undefined
        // Gathered units are gone with the process; nobody was told of them.
        this.store.crash()
        this.#timers = []
        this.#fixture = this.#start()
        break
    }
    // Outcomes are told in microtasks of their own.
    await new Promise<void>((resolve) => setImmediate(resolve))
  }

  /** The device stays connected and acknowledges until nothing comes any more. */
  async settle(): Promise<void> {
    this.store.isFull = false
    await this.apply({ do: 'connect' })
    for (let quiet = 0; quiet < 4; ) {
      const before = this.shown.length
      for (const what of ['round', 'answerReads', 'beginCommit', 'endCommit'] as const)
        await this.apply({ do: what })
      await this.apply({ do: 'acknowledge', count: limits.unackedPerSessionMax })
      quiet = this.shown.length === before && this.store.waitingReads === 0 ? quiet + 1 : 0
    }
  }

  #accept(): void {
    const name = `n${++this.#count}`
    // Some are so large that a few of them fill the window.
    const payload = new TextEncoder().encode(this.#count % 5 === 0 ? name.padEnd(largeBytes) : name)
    void this.#fixture.accept(name, { payload }).then((outcome) => {
      if (outcome === 'accepted') this.accepted.push(name)
    })
  }

  /** Shows what has arrived up to this place. */
  #take(until: number): void {
    for (; this.#taken < until; this.#taken++) {
      const name = this.#phone!.got[this.#taken]!.name.trimEnd()
      if (!this.shown.includes(name)) this.shown.push(name)
    }
  }

  #start(): DeliveryFixture {
    const fixture = deliveryOver(
      this.store,
      this.#withGrace ? (run) => void this.#timers.push(run) : undefined,
    )
    fixture.settings.inboxMax = limits.inboxPerAppMax
    return fixture
  }
}

const largeBytes = limits.unackedBytesPerSessionMax / 4

const numberOf = (name: string) => Number(name.slice(1))

test.each([
  ['every message written at once', false],
  ['with the wait for an acknowledgement', true],
])('everything accepted is shown once, in order: %s', async (_name, withGrace) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
      const run = new Run(withGrace)
      for (const each of steps) await run.apply(each)
      await run.settle()
      expect(run.shown.map(numberOf)).toEqual(run.shown.map(numberOf).toSorted((left, right) => left - right))
      expect(run.accepted.filter((name) => !run.shown.includes(name))).toEqual([])
      expect(run.store.rows.size).toBe(0)
    }),
    { numRuns: 300 },
  )
})
