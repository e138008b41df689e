import fc from 'fast-check'
import type { Notification } from '../../src/delivery/delivery.ts'
import { powerStateOf } from '../../src/power/power-hook.ts'
import type { PowerPolicy } from '../../src/power/power-policy.ts'
import type { DatabaseFixture } from '../store/store-fixture.ts'
import { type DeliveryFixture, deliveryOver, FakePhone, topic } from './delivery-fixture.ts'
import { RecordingTrace } from './recording-trace.ts'
import { RememberingDevice } from './remembering-device.ts'

export const otherTopic = 'dev.example.other'
const topics = [topic, otherTopic]

/** One notification, as a provider might ask for it. */
export interface Wanted {
  readonly topic: string
  readonly priority: number
  readonly isBackground: boolean
  readonly collapseId: string
  /** Seconds from now; 0: now or never. */
  readonly life: number
}

export type PipelineStep =
  | { readonly do: 'accept'; readonly wanted: readonly Wanted[] }
  | { readonly do: 'acknowledge'; readonly count: number }
  /** The connection is lost, with the last so many notifications still on their way. */
  | { readonly do: 'lose'; readonly onTheWay: number }
  | { readonly do: 'connect' }
  /** Bits of `courierPower`. */
  | { readonly do: 'power'; readonly bits: number }
  | { readonly do: 'wish'; readonly topic: string; readonly wish: 'deliver' | 'hold' | 'drop' }
  | { readonly do: 'pass'; readonly seconds: number }
  /** The event loop turns so often. */
  | { readonly do: 'turn'; readonly count: number }

const wanted: fc.Arbitrary<Wanted> = fc.record({
  topic: fc.constantFrom(...topics),
  priority: fc.constantFrom(10, 5, 1),
  isBackground: fc.boolean(),
  collapseId: fc.constantFrom('', '', 'a', 'b'),
  life: fc.constantFrom(100_000, 100_000, 60, 0),
})

export const upTo = (max: number) => fc.integer({ min: 1, max })

export const pipelineStep: fc.Arbitrary<PipelineStep> = fc.oneof(
  {
    weight: 7,
    arbitrary: fc.record({
      do: fc.constant('accept' as const),
      wanted: fc.array(wanted, { minLength: 1, maxLength: 12 }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('turn' as const), count: upTo(30) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('acknowledge' as const), count: upTo(20) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('power' as const), bits: fc.nat(7) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('connect' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), seconds: upTo(2000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const), onTheWay: fc.nat(5) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('wish' as const),
      topic: fc.constantFrom(...topics),
      wish: fc.constantFrom('deliver' as const, 'hold' as const, 'drop' as const),
    }),
  },
)

let devices = 1_000_000
const barrierDevice = 999_999
const forever = 9_999_999_999

interface PipelineOptions {
  readonly inboxMax: number
  readonly withGrace: boolean
  /** Absent where devices' power does not count. */
  readonly power?: PowerPolicy
}

/** A device with two apps behind a real store: what is asked for it, what it shows, and what the trace hears. */
export class PipelineRun {
  readonly trace = new RecordingTrace()
  readonly accepted: string[] = []
  readonly wanted = new Map<string, Wanted>()
  readonly device = new RememberingDevice()
  readonly #deviceRow = ++devices
  readonly #fixture: DeliveryFixture
  readonly #database: DatabaseFixture
  readonly #wishes = new Map<string, 'deliver' | 'hold' | 'drop'>(topics.map((each) => [each, 'deliver']))
  #power: number | undefined
  #undecided = 0

  constructor(database: DatabaseFixture, { inboxMax, withGrace, power }: PipelineOptions) {
    this.#database = database
    const shortTimer = (run: () => void) => void setImmediate(run)
    this.#fixture = deliveryOver(database.store, {
      ...{ trace: this.trace, power },
      ...(withGrace && { shortTimer }),
    })
    this.#fixture.settings.inboxMax = inboxMax
  }

  async apply(step: PipelineStep): Promise<void> {
    switch (step.do) {
      case 'accept':
        for (const each of step.wanted) this.#accept(each)
        break
      case 'acknowledge':
        this.device.acknowledge(step.count)
        break
      case 'lose':
        this.device.lose(step.onTheWay)
        break
      case 'connect':
        this.#connect()
        break
      case 'power':
        this.#power = step.bits
        this.#report()
        break
      case 'wish':
        this.#wishes.set(step.topic, step.wish)
        this.device.phone?.wishes.set(step.topic, step.wish)
        this.device.phone?.inbox.topicsChanged()
        break
      case 'pass':
        this.#fixture.clock.nowMs += step.seconds * 1000
        this.#tick()
        break
      case 'turn':
        for (let index = 0; index < step.count; index++) await turn()
        break
    }
  }

  /** The device is connected, in use and wants everything, until nothing is stored and every acceptance is decided. */
  async settle(): Promise<void> {
    for (const each of topics) this.#wishes.set(each, 'deliver')
    this.#power = 7
    this.#connect()
    for (let isStored = true; isStored || this.#undecided > 0; ) {
      await turn()
      await this.apply({ do: 'acknowledge', count: Number.MAX_SAFE_INTEGER })
      this.#tick()
      const { store } = this.#database
      const { messages, hasMore } = await store.read(this.#deviceRow, 0, store.lastSeq)
      isStored = messages.length > 0 || hasMore
    }
    // Reads may see a commit before its writers hear of it; they have when a later one is confirmed.
    const barrier = () => this.#fixture.accept('barrier', { device: barrierDevice, expiration: forever })
    while ((await barrier()) !== 'accepted') await this.apply({ do: 'pass', seconds: 1 })
    await this.apply({ do: 'lose', onTheWay: 0 })
  }

  #connect(): void {
    const phone = new FakePhone()
    for (const [each, wish] of this.#wishes) phone.wishes.set(each, wish)
    this.#fixture.connect({ device: this.#deviceRow, phone, namesTopics: false })
    this.device.connected(phone)
    this.#report()
    phone.inbox.topicsChanged()
  }

  #report(): void {
    if (this.device.phone === undefined || this.#power === undefined) return
    this.#fixture.delivery.powerChanged(this.#deviceRow, powerStateOf(this.#power))
  }

  #tick(): void {
    this.#fixture.delivery.tick(this.#fixture.clock.nowMs)
    this.#database.store.tick(this.#fixture.clock.nowMs)
  }

  #accept(each: Wanted): void {
    const name = `${this.wanted.size + 1}`
    this.wanted.set(name, each)
    this.#undecided++
    const { nowMs } = this.#fixture.clock
    const fields: Partial<Notification> = {
      priority: each.priority,
      pushType: each.isBackground ? 'background' : 'alert',
      collapseId: each.collapseId,
      expiration: each.life === 0 ? 0 : Math.floor(nowMs / 1000) + each.life,
    }
    const where = { device: this.#deviceRow, topic: each.topic, bundleId: each.topic }
    void this.#fixture.accept(name, { ...fields, ...where }).then((outcome) => {
      this.#undecided--
      if (outcome === 'accepted') this.accepted.push(name)
    })
  }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
