import fc from 'fast-check'
import { expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { type DeliveryFixture, deliveryOver } from './delivery-fixture.ts'
import { ManualStore } from './manual-store.ts'
import { RecordingTrace } from './recording-trace.ts'
import { RememberingDevice } from './remembering-device.ts'

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
  readonly trace = new RecordingTrace()
  readonly accepted: string[] = []
  readonly device = new RememberingDevice()
  readonly #withGrace: boolean
  #timers: (() => void)[] = []
  #fixture: DeliveryFixture
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
        this.device.acknowledge(step.count)
        break
      case 'topics':
        this.device.phone?.inbox.topicsChanged()
        break
      case 'full':
        this.store.isFull = step.isFull
        break
      case 'lose':
        this.device.lose(step.onTheWay)
        break
      case 'connect':
        this.device.connected(this.#fixture.connect())
        break
      case 'restart':
        this.device.abandoned()
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
      const { shown } = this.device
      const before = shown.length
      for (const what of ['round', 'answerReads', 'beginCommit', 'endCommit'] as const)
        await this.apply({ do: what })
      await this.apply({ do: 'acknowledge', count: limits.unackedPerSessionMax })
      quiet = shown.length === before && this.store.waitingReads === 0 ? quiet + 1 : 0
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

  #start(): DeliveryFixture {
    const shortTimer = (run: () => void) => void this.#timers.push(run)
    const fixture = deliveryOver(this.store, { trace: this.trace, ...(this.#withGrace && { shortTimer }) })
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
      const { shown } = run.device
      expect(shown.map(numberOf)).toEqual(shown.map(numberOf).toSorted((left, right) => left - right))
      expect(run.accepted.filter((name) => !shown.includes(name))).toEqual([])
      expect(run.store.rows.size).toBe(0)
      // What the trace was told is lost with the process, and what is sent again afterwards ends twice.
      if (!steps.some((each) => each.do === 'restart')) {
        expect(run.trace.endsOtherThanOnce(run.accepted)).toEqual([])
      }
    }),
    { numRuns: 300 },
  )
})
