import { generateKeyPairSync, sign } from 'node:crypto'
import { apnsIdBytes, apnsIdText, type MessageOf, topicHash } from '@carillon/wire'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CourierSession as DeviceSession } from '../../../device/src/session/courier-session.ts'
import { HandledNotifications } from '../../../device/src/session/handled-notifications.ts'
import { sessionHost } from '../../src/courier/courier.ts'
import { NonceMemory } from '../../src/courier/nonce-memory.ts'
import { CourierSession } from '../../src/courier/session.ts'
import type { SessionHost, SessionLink } from '../../src/courier/session-host.ts'
import { limits } from '../../src/limits.ts'
import { type DeliveryFixture, deliveryOver } from '../delivery/delivery-fixture.ts'
import { ManualStore } from '../delivery/manual-store.ts'
import { apnsIdFor } from '../delivery/recording-trace.ts'
import { MemoryAuthority } from '../memory-authority.ts'
import { nowMs, nowSeconds } from '../store/store-fixture.ts'
import { settled } from './courier-world.ts'

/*
 * The session of our device against that of our courier, with delivery behind it and a network between them that cuts
 * at any byte: everything that was accepted is shown exactly once, in order for each app, whatever is lost, said twice,
 * or ends without the other side's notice.
 */
const apps = ['dev.example.one', 'dev.example.two'] as const
const framings = [
  '',
  'apns-pack-v1',
  'apns-pack-v1:0:0',
  'apns-pack-v1:64:100',
  'apns-pack-v1:4096:64',
] as const

type Step =
  | { readonly do: 'accept'; readonly app: number; readonly count: number }
  /** So many bytes of what is under way arrive, in two pieces. */
  | { readonly do: 'flow'; readonly toDevice: number; readonly toCourier: number }
  /** So many bytes arrive, the rest never; the courier may not notice. */
  | { readonly do: 'cut'; readonly toDevice: number; readonly toCourier: number; readonly isNoticed: boolean }
  /** It may be made at once, else as bytes flow. */
  | { readonly do: 'connect'; readonly framing: number; readonly isMade: boolean }
  /** The disk of the device has taken so many. */
  | { readonly do: 'keep'; readonly count: number }
  /** The device wants both apps, or the first alone for now. */
  | { readonly do: 'topics'; readonly both: boolean }
  /** The courier says goodbye; `kill -9` of either side; the parts of the store. */
  | { readonly do: 'drain' | 'killService' | 'killDevice' | 'commit' | 'read' | 'round' | 'keepAlive' }

const everything = 1_000_000
const bytes = fc.oneof(fc.nat(40), fc.nat(400), fc.nat(5000))
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('accept' as const),
      app: fc.nat(1),
      count: fc.integer({ min: 1, max: 6 }),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({ do: fc.constant('flow' as const), toDevice: bytes, toCourier: bytes }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      ...{ do: fc.constant('cut' as const), toDevice: bytes, toCourier: bytes },
      isNoticed: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      ...{ do: fc.constant('connect' as const), framing: fc.nat(framings.length - 1) },
      isMade: fc.boolean(),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('keep' as const), count: fc.nat(8) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('topics' as const), both: fc.boolean() }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constantFrom('commit' as const, 'read', 'round') }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('drain' as const, 'killService', 'killDevice', 'keepAlive') }),
  },
)

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const identity = {
  udid: 'phone',
  certificates: [Buffer.from('phone')],
  sign: (nonce: Uint8Array) => sign('sha256', nonce, privateKey),
}

/** Both ends of one connection and what is under way between them. */
class Connection implements SessionLink {
  readonly device: DeviceSession
  readonly courier: CourierSession
  /** The device was told that it is over. */
  hasEnded = false
  isCut = false
  #toDevice: Uint8Array = new Uint8Array()
  #toCourier: Uint8Array = new Uint8Array()
  #courierHasClosed = false
  readonly #now: () => number

  constructor(host: SessionHost, run: Run, alpn: string) {
    this.#now = host.now
    this.courier = new CourierSession(host, this, alpn)
    this.device = new DeviceSession(
      identity,
      undefined,
      {
        send: (frame) => {
          this.#toCourier = Buffer.concat([this.#toCourier, frame])
        },
        connected: () => run.nameTopics(this.device),
        token() {},
        notification: (message, session) => run.arrived(message, session),
        channels() {},
        storageEmpty() {},
        ended: () => {
          this.hasEnded = true
        },
      },
      host.now(),
      run.handled,
    )
    this.device.start({ clockMs: host.now(), random: run.random(), alpn })
  }

  get isQuiet(): boolean {
    return this.#toDevice.length + this.#toCourier.length === 0
  }

  write(frame: Uint8Array): void {
    this.#toDevice = Buffer.concat([this.#toDevice, frame])
  }
  known(): void {}
  dueIn(): void {}
  close(): void {
    this.#courierHasClosed = true
  }

  /** What is cut off is not there for a later call. */
  flow(toDevice: number, toCourier: number): void {
    if (this.isCut) return
    const inbound = this.#toDevice.subarray(0, toDevice)
    this.#toDevice = this.#toDevice.subarray(inbound.length)
    for (const part of halves(inbound)) this.device.receive(part, this.#now())
    const outbound = this.#toCourier.subarray(0, toCourier)
    this.#toCourier = this.#toCourier.subarray(outbound.length)
    for (const part of halves(outbound)) this.courier.receive(part, this.#now())
    if (!this.#courierHasClosed || this.#toDevice.length > 0) return
    this.cut(0, 0, true)
  }

  cut(toDevice: number, toCourier: number, isNoticed: boolean): void {
    if (toDevice + toCourier > 0) this.flow(toDevice, toCourier)
    this.isCut = true
    this.device.transportLost('cut')
    if (isNoticed) this.courier.closed()
  }
}

function halves(part: Uint8Array): Uint8Array[] {
  const middle = part.length >> 1
  return [part.subarray(0, middle), part.subarray(middle)]
}

class Run {
  readonly store = new ManualStore()
  readonly accepted: string[] = []
  readonly shown: string[] = []
  readonly appOf = new Map<string, number>()
  /** Came again although the courier had been told that the device has it. */
  readonly needless: string[] = []
  handled = new HandledNotifications()
  readonly #resumes: boolean
  readonly #numbers = new Map<string, number>()
  #fixture: DeliveryFixture
  #host: SessionHost
  #timers: (() => void)[] = []
  #connection: Connection | undefined
  #arriving: { message: MessageOf<'notification'>; session: DeviceSession }[] = []
  #named = new Set<string>()
  #both = true
  #seed = 0
  readonly #clock = { nowMs }

  constructor(resumes: boolean) {
    this.#resumes = resumes
    ;[this.#fixture, this.#host] = this.#start()
  }

  random(): Uint8Array {
    return Uint8Array.of(0, 0, 0, 0, 0, 0, ++this.#seed >> 8, this.#seed)
  }

  nameTopics(session: DeviceSession): void {
    session.setTopics((this.#both ? apps : [apps[0]]).map((app) => topicHash(app)))
  }

  arrived(message: MessageOf<'notification'>, session: DeviceSession): void {
    const name = Buffer.from(message.payload).toString()
    if (this.#named.has(name)) this.needless.push(name)
    this.#arriving.push({ message: { ...message, token: Uint8Array.from(message.token) }, session })
  }

  async apply(step: Step): Promise<void> {
    const connection = this.#connection
    switch (step.do) {
      case 'accept':
        for (let index = 0; index < step.count; index++) this.#accept(step.app)
        break
      case 'flow':
        connection?.flow(step.toDevice, step.toCourier)
        break
      case 'cut':
        connection?.cut(step.toDevice, step.toCourier, step.isNoticed)
        this.#connection = undefined
        break
      case 'connect':
        if (connection !== undefined && !connection.hasEnded) break
        this.#connect(framings[step.framing]!)
        for (let turn = 0; step.isMade && turn < 3; turn++) {
          this.#connection!.flow(everything, everything)
          await settled()
        }
        break
      case 'keep':
        for (const { message, session } of this.#arriving.splice(0, step.count)) this.#keep(message, session)
        break
      case 'topics':
        this.#both = step.both
        if (connection !== undefined) this.nameTopics(connection.device)
        break
      case 'drain':
        connection?.courier.leave('shutdown')
        break
      case 'keepAlive':
        this.#clock.nowMs += 310_000
        connection?.device.tick(this.#clock.nowMs)
        connection?.courier.tick(this.#clock.nowMs)
        break
      case 'killService':
        connection?.cut(0, 0, false)
        this.#connection = undefined
        this.store.crash()
        this.#timers = []
        ;[this.#fixture, this.#host] = this.#start()
        break
      case 'killDevice':
        connection?.cut(0, 0, false)
        this.#connection = undefined
        this.#arriving = []
        this.handled = new HandledNotifications()
        break
      case 'commit':
        this.store.endCommit()
        this.store.beginCommit()
        break
      case 'read':
        await this.store.answerReads()
        break
      case 'round':
        for (const run of this.#timers.splice(0)) run()
        break
    }
    // Enrolment and outcomes come in microtasks of their own.
    await settled()
  }

  /** The network holds until nothing comes any more. */
  async settle(): Promise<void> {
    await this.apply({ do: 'topics', both: true })
    for (let quiet = 0; quiet < 6; ) {
      const before = this.shown.length
      await this.apply({ do: 'connect', framing: 0, isMade: true })
      for (const what of ['round', 'read', 'commit', 'commit'] as const) await this.apply({ do: what })
      await this.apply({ do: 'flow', toDevice: everything, toCourier: everything })
      await this.apply({ do: 'keep', count: everything })
      const isQuiet = this.#connection!.isQuiet && !this.#connection!.hasEnded
      quiet = isQuiet && this.shown.length === before && this.store.waitingReads === 0 ? quiet + 1 : 0
    }
  }

  #connect(alpn: string): void {
    if (!this.#resumes) this.handled = new HandledNotifications()
    this.#named = new Set(
      this.handled.ids.map((id) => `n${this.#numbers.get(apnsIdText(Uint8Array.from(id)))}`),
    )
    this.#connection = new Connection(this.#host, this, alpn)
  }

  #keep(message: MessageOf<'notification'>, session: DeviceSession): void {
    const name = Buffer.from(message.payload).toString()
    if (!this.shown.includes(name)) this.shown.push(name)
    session.acknowledge(message.id, message.token, 'ok', message.tracingId)
  }

  #accept(app: number): void {
    const number = this.#numbers.size
    const name = `n${number}`
    this.#numbers.set(apnsIdText(apnsIdBytes(apnsIdFor(name))!), number)
    const topic = apps[app]!
    this.appOf.set(name, app)
    void this.#fixture
      .accept(name, { topic, bundleId: topic, expiration: nowSeconds + 864_000 })
      .then((outcome) => {
        if (outcome === 'accepted') this.accepted.push(name)
      })
  }

  #start(): [DeliveryFixture, SessionHost] {
    const fixture = deliveryOver(this.store, { shortTimer: (run) => void this.#timers.push(run) })
    fixture.settings.inboxMax = limits.inboxPerAppMax
    const host = sessionHost(
      {
        authority: new MemoryAuthority(),
        trust: { identify: () => ({ deviceId: 'phone', publicKey, serial: '01' }) },
        registry: {
          enrolDevice: async (deviceId) => ({ id: 1, deviceId, baseToken: new Uint8Array(32).fill(9) }),
          issueToken: async () => undefined,
          topicOf(hash) {
            const topic = apps.find((app) => Buffer.compare(hash, topicHash(app)) === 0)
            return topic && { bundleId: topic, topic }
          },
        },
        delivery: fixture.delivery,
        hooks: {},
        now: () => this.#clock.nowMs,
        random: (count) => new Uint8Array(count),
        onTrouble: (sentence, cause) => {
          throw new Error(sentence, { cause })
        },
      },
      { nonces: new NonceMemory() },
    )
    return [fixture, { ...host, steadyNow: host.now }]
  }
}

const numberOf = (name: string) => Number(name.slice(1))

test.each([
  ['resumed', true],
  ['begun anew', false],
])(
  'over a network that cuts at any byte all is shown once, in order for each app: %s',
  async (_name, resumes) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 120, size: 'max' }), async (steps) => {
        const run = new Run(resumes)
        for (const each of steps) await run.apply(each)
        await run.settle()
        for (const app of [0, 1]) {
          const order = run.shown.filter((name) => run.appOf.get(name) === app).map(numberOf)
          expect(order).toEqual(order.toSorted((left, right) => left - right))
        }
        expect(run.accepted.filter((name) => !run.shown.includes(name))).toEqual([])
        expect([run.needless, run.store.rows.size]).toEqual([[], 0])
      }),
      { numRuns: 300 },
    )
  },
)
