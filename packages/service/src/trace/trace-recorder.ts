import { apnsIdBytes, bundleIdOf, channelIdBytes, encodeChannelId, parsePushType } from '@carillon/wire'
import { limits } from '../limits.ts'
import { type Counter, column, counters, rejectedCounter } from '../metrics/counters.ts'
import type { MetricCounts } from '../metrics/metric-counts.ts'
import { cellPlace } from '../metrics/subject-cells.ts'
import type { StoredMessage } from '../store/stored-message.ts'
import type { OpenBlock } from './open-block.ts'
import { discardedWhyNumbers, lostWhyNumbers, stageNumbers, storedWhyNumbers } from './stages.ts'
import { type Subject, SubjectTable } from './subject-table.ts'
import type {
  BroadcastStage,
  DiscardedWhy,
  RejectedPush,
  StoredWhy,
  Trace,
  TracedBroadcast,
  TracedMessage,
} from './trace.ts'
import { recordFlags, tokenBytesMax } from './trace-record.ts'

/** Takes full blocks and gives empty ones. */
export interface BlockSink {
  /** Undefined while too many wait for the disk: what happens until then is counted as lost. */
  emptyBlock(): OpenBlock | undefined
  write(block: OpenBlock): void
}

export interface RecorderOptions {
  /** Keeps no records where absent; counts all the same. */
  readonly sink: BlockSink | undefined
  readonly counts: MetricCounts
  /** Whether an app of this bundle id exists: pushes that were rejected may name any. */
  readonly isApp: (bundleId: string) => boolean
}

/** Writes what happens into blocks in memory and counts it. Nothing here waits or throws. */
export class TraceRecorder implements Trace {
  readonly #sink: BlockSink | undefined
  readonly #counts: MetricCounts
  readonly #isApp: (bundleId: string) => boolean
  readonly #subjects = new SubjectTable()
  #block: OpenBlock | undefined
  /** The second of the last rejected push, and how many were recorded in it. */
  #rejectedSecond = 0
  #rejectedInSecond = 0
  /** Records that found no room since the last one that did. */
  #lost = 0
  /** The same since the start. */
  lostRecords = 0
  records = 0

  constructor({ sink, counts, isApp }: RecorderOptions) {
    this.#sink = sink
    this.#counts = counts
    this.#isApp = isApp
  }

  rejected(push: RejectedPush, nowMs: number): void {
    const { reason, priority } = push
    // What a provider may write freely must not fill the tables.
    const topic = push.topic.length > limits.tracedTextLengthMax ? '' : push.topic
    const bundleId = topic === '' ? undefined : bundleIdOf(topic)
    const app = bundleId !== undefined && this.#isApp(bundleId) ? bundleId : ''
    const subject = this.#subjects.of(app, topic, parsePushType(push.pushType) ?? '', reason)
    this.#count(subject, priority, column.rejected)
    if (!this.#mayRecordRejected(nowMs)) return
    const apnsId = apnsIdBytes(push.apnsId) ?? nothing
    const flags = push.channelId === undefined ? 0 : recordFlags.broadcast
    const addressee = push.channelId === undefined ? tokenOf(push.token) : channelOf(push.channelId)
    const { length } = addressee
    this.#append(
      subject,
      nowMs,
      stageNumbers.rejected,
      length,
      0,
      priority,
      flags,
      apnsId,
      nothing,
      addressee,
    )
  }

  received(message: StoredMessage, uniqueId: string): void {
    const otherId = uniqueId === '' ? nothing : (apnsIdBytes(uniqueId) ?? nothing)
    const { receivedAtMs } = message
    this.#record(message, receivedAtMs, stageNumbers.received, 0, column.received, false, otherId)
  }

  stored(message: TracedMessage, why: StoredWhy, nowMs: number): void {
    const counter = column[storedCounters[why]]
    this.#record(message, nowMs, stageNumbers.stored, storedWhyNumbers[why], counter, false, nothing)
  }

  replaced(message: TracedMessage, by: Uint8Array, nowMs: number): void {
    this.#record(message, nowMs, stageNumbers.replaced, 0, column.replaced, true, by)
  }

  expired(message: TracedMessage, nowMs: number): void {
    this.#record(message, nowMs, stageNumbers.expired, 0, column.discardedExpired, true, nothing)
  }

  discarded(message: TracedMessage, why: DiscardedWhy, isFromStorage: boolean, nowMs: number): void {
    const counter = column[isFromStorage ? discardedFromStorageCounters[why] : discardedCounters[why]]
    const detail = discardedWhyNumbers[why]
    this.#record(message, nowMs, stageNumbers.discarded, detail, counter, isFromStorage, nothing)
  }

  sent(message: TracedMessage, isFromStorage: boolean, nowMs: number): void {
    this.#record(message, nowMs, stageNumbers.sent, 0, column.sent, isFromStorage, nothing)
  }

  acknowledged(message: TracedMessage, status: number, isFromStorage: boolean, nowMs: number): void {
    const delivered = isFromStorage ? column.deliveredFromStorage : column.delivered
    const counter = status === 0 ? delivered : -1
    this.#record(message, nowMs, stageNumbers.acknowledged, status, counter, isFromStorage, nothing)
  }

  reported(message: TracedMessage, stage: 'shown' | 'opened', nowMs: number): void {
    this.#record(message, nowMs, stageNumbers[stage], 0, column[stage], false, nothing)
  }

  tokenInactive(token: Uint8Array, app: string, topic: string, atMs: number): void {
    const subject = this.#subjects.of(app, topic, '', '')
    this.#count(subject, 0, column.tokensInactive)
    this.#append(subject, atMs, stageNumbers.tokenInactive, 0, 0, 0, 0, nothing, nothing, token)
  }

  broadcast(broadcast: TracedBroadcast, stage: BroadcastStage, devices: number, nowMs: number): void {
    const { app, requestId, channelId, priority } = broadcast
    const subject = this.#subjects.of(app, app, 'liveactivity', '')
    const number = stageNumbers[stage]
    const detail = stage === 'stored' ? storedWhyNumbers.channel : 0
    const flags = recordFlags.broadcast
    this.#append(subject, nowMs, number, detail, devices, priority, flags, requestId, nothing, channelId)
  }

  /** The process before this one was killed: what it had in memory is not there. */
  wasKilled(nowMs: number): void {
    const { killed } = lostWhyNumbers
    this.#append(this.#unnamed(), nowMs, stageNumbers.lost, killed, 0, 0, 0, nothing, nothing, nothing)
  }

  /** Records could not be written. */
  lost(records: number): void {
    this.#lost += records
    this.lostRecords += records
  }

  /** Hands over what was recorded so far. */
  flush(): void {
    const block = this.#block
    if (block === undefined || block.records === 0) return
    this.#block = undefined
    this.#sink!.write(block)
  }

  /** Anybody may send what is rejected: it must not drive everything else out of the journal. */
  #mayRecordRejected(nowMs: number): boolean {
    const second = Math.floor(nowMs / 1000)
    if (second !== this.#rejectedSecond) {
      this.#rejectedSecond = second
      this.#rejectedInSecond = 0
    }
    return this.#rejectedInSecond++ < limits.rejectedTracedPerSecondMax
  }

  #record(
    message: TracedMessage,
    atMs: number,
    stage: number,
    detail: number,
    counter: number,
    isFromStorage: boolean,
    otherId: Uint8Array,
  ): void {
    const { priority, device, apnsId, token } = message
    const subject = this.#subjects.of(message.app, message.topic, message.pushType, '')
    if (counter >= 0) this.#count(subject, priority, counter)
    const flags = isFromStorage ? recordFlags.fromStorage : 0
    this.#append(subject, atMs, stage, detail, device, priority, flags, apnsId, otherId, token)
  }

  #count(subject: Subject, priority: number, counter: number): void {
    const place = cellPlace(priority, counter)
    let cell = subject.cells[place]!
    if (cell < 0) {
      const { app, pushType, reason } = subject
      const name = reason === '' ? counters[counter]! : rejectedCounter(reason)
      cell = this.#counts.cellOf(app, pushType, priority, name)
      subject.cells[place] = cell
    }
    this.#counts.add(cell)
  }

  #append(
    subject: Subject,
    atMs: number,
    stage: number,
    detail: number,
    device: number,
    priority: number,
    flags: number,
    apnsId: Uint8Array,
    otherId: Uint8Array,
    token: Uint8Array,
  ): void {
    const sink = this.#sink
    if (sink === undefined) return
    const block = this.#block ?? this.#nextBlock(sink, atMs)
    if (block === undefined) {
      this.#lost++
      this.lostRecords++
      return
    }
    this.records++
    if (block.append(subject, atMs, stage, detail, device, priority, flags, apnsId, otherId, token)) {
      return
    }
    this.records--
    this.#block = undefined
    sink.write(block)
    this.#append(subject, atMs, stage, detail, device, priority, flags, apnsId, otherId, token)
  }

  /** An empty block, which begins with the number of those that were lost meanwhile. */
  #nextBlock(sink: BlockSink, atMs: number): OpenBlock | undefined {
    const block = sink.emptyBlock()
    this.#block = block
    if (block === undefined || this.#lost === 0) return block
    const { lost } = stageNumbers
    const unnamed = this.#unnamed()
    block.append(unnamed, atMs, lost, lostWhyNumbers.full, this.#lost, 0, 0, nothing, nothing, nothing)
    this.#lost = 0
    return block
  }

  #unnamed(): Subject {
    return this.#subjects.of('', '', '', '')
  }
}

const nothing = new Uint8Array(0)

/** What was sent for a device token; nothing where it is no hex. */
function tokenOf(text: string): Uint8Array {
  return isHex.test(text) ? Buffer.from(text.slice(0, tokenBytesMax * 2), 'hex') : nothing
}

const isHex = /^(?:[0-9a-f]{2})+$/i

/** What was sent for a channel id; nothing where it cannot be one. */
function channelOf(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64')
  return bytes.length === channelIdBytes && encodeChannelId(bytes) === text ? bytes : nothing
}

const storedCounters = {
  offline: 'storedOffline',
  power: 'storedPower',
  paused: 'storedPaused',
  window: 'storedWindow',
} as const satisfies Record<StoredWhy, Counter>

const discardedCounters = {
  expired: 'discardedExpired',
  unregistered: 'discardedUnregistered',
  disabled: 'discardedDisabled',
} as const satisfies Record<DiscardedWhy, Counter>

const discardedFromStorageCounters = {
  expired: 'discardedExpired',
  unregistered: 'discardedUnregisteredFromStorage',
  disabled: 'discardedDisabledFromStorage',
} as const satisfies Record<DiscardedWhy, Counter>
