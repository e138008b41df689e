import {
  type BinaryNotification,
  BinaryNotificationReader,
  type BinaryProblem,
  type BinaryStatusName,
  encodeDeviceToken,
  scanPayload,
} from '@carillon/wire'
import type { AcceptOutcome } from '../delivery/delivery.ts'
import type { BinaryFate, BinaryTrouble } from '../faults/binary-trouble.ts'
import { limits } from '../limits.ts'
import type { TokenRecord } from '../registry/registry.ts'
import { BinaryEnding } from './binary-ending.ts'
import type { BinaryGateway } from './binary-gateway.ts'
import { type CertificateClient, examineClient } from './certificate-client.ts'
import { checkNotification, rulesFor, toNotification } from './check-notification.ts'
import { traceDiscarded, traceRejected } from './trace-binary.ts'

/** The transport of a session. Calls after the connection has ended do nothing. */
export interface BinaryLink {
  /** Trouble on purpose; undefined while this connection never had any. */
  readonly trouble?: Pick<BinaryTrouble, 'meet' | 'end'> | undefined
  /** Reads nothing more until `resume`. */
  pause(): void
  resume(): void
  /** Writes the error packet, if any, and closes. What the client still sends is read and dropped. */
  finish(packet: Uint8Array | undefined): void
}

/** One notification from its bytes to delivery's answer. */
interface Entry {
  readonly session: BinarySession
  readonly notification: BinaryNotification
  /** Counts notifications of this connection. */
  readonly place: number
  /** Of the notification before this one: what status 10 names if this one is to be sent again. */
  readonly identifierBefore: number
  lookup: 'pending' | 'done' | 'failed'
  record: TokenRecord | undefined
  /** `handing` while delivery is asked and has not returned: a `busy` means that nothing was kept. */
  state: 'ahead' | 'handing' | 'refused' | 'handed'
  /** Nothing counts after it, and the connection ends without a word when it is settled. */
  isLast: boolean
}

/**
 * One binary connection: notifications are handed to delivery in order, several at a time, and only the first bad
 * one is ever answered. Its packet is sent when everything before it is on disk or acknowledged by its device,
 * so that it says at once that all before it were accepted.
 *
 *   bytes → read (a few ahead, their tokens are looked up) → handed over in order → settled
 */
export class BinarySession {
  readonly #gateway: BinaryGateway
  readonly #link: BinaryLink
  #client: CertificateClient
  readonly #reader: BinaryNotificationReader
  /** Read and not handed over yet. */
  #ahead: Entry[] = []
  #unsettled = 0
  #read = 0
  #identifierRead = 0
  #identifierHanded = 0
  readonly #ending = new BinaryEnding()
  /** Nothing is read after a bad notification or a drain. */
  #isReading = true
  #hasPeerEnded = false
  #isFinished = false
  #isPaused = false
  #isPumping = false
  /** Since when delivery takes nothing, 0 while it does. */
  #heldSinceMs = 0

  constructor(gateway: BinaryGateway, client: CertificateClient, link: BinaryLink) {
    this.#gateway = gateway
    this.#client = client
    this.#link = link
    this.#reader = new BinaryNotificationReader(rulesFor(client.topics, gateway.options))
  }

  receive(chunk: Uint8Array): void {
    if (!this.#isReading) return
    this.#reader.push(chunk)
    this.#pump()
  }

  /** The client sends nothing more. What came whole counts, whether or not anybody is there for an answer. */
  peerEnded(): void {
    this.#hasPeerEnded = true
    this.#pump()
  }

  /** The service stops: status 10 with the last notification that counts. */
  drain(): void {
    this.#stopAfterHanded()
    this.#pump()
  }

  /** The authority has told of a change, or time has passed: the certificate may be worth nothing any more. */
  reexamine(): void {
    const client = examineClient(this.#client.facts, this.#gateway)
    if (client === undefined) this.drain()
    else this.#client = client
  }

  /** A few times a second: delivery is asked again, and dates are looked at. */
  tick(nowMs: number): void {
    if (nowMs > this.#client.facts.notAfter) this.reexamine()
    if (this.#heldSinceMs === 0) return
    if (nowMs - this.#heldSinceMs > limits.binaryHeldMsMax) this.#stopAfterHanded()
    this.#pump()
  }

  /** The answer of delivery. */
  settled(entry: Entry, outcome: AcceptOutcome): void {
    if (outcome === 'busy' && entry.state === 'handing') {
      entry.state = 'refused'
      return
    }
    this.#unsettled -= 1
    if (entry.isLast) this.#link.trouble?.end()
    if (outcome === 'failed') this.#endAt(entry, 'processingError', entry.notification.identifier ?? 0)
    else if (outcome === 'busy') this.#endAt(entry, 'shutdown', entry.identifierBefore)
    this.#pump()
  }

  #pump(): void {
    if (this.#isPumping || this.#isFinished) return
    this.#isPumping = true
    try {
      while (this.#handNext() || this.#readNext()) {
        // Each step makes another one possible.
      }
    } catch (cause) {
      this.#fail(cause)
      return
    } finally {
      this.#isPumping = false
    }
    this.#regulate()
    if (this.#ahead.length > 0 || this.#unsettled > 0) return
    if (this.#ending.isKnown || this.#hasPeerEnded) {
      this.#isFinished = true
      this.#link.finish(this.#ending.packet)
    }
  }

  /** A fault of ours must not end the process, nor say what became of notifications: the client is to judge. */
  #fail(cause: unknown): void {
    this.#gateway.onTrouble('A fault in the binary gateway ended a connection.', cause)
    this.#isReading = false
    this.#ahead = []
    this.#isFinished = true
    this.#link.finish(undefined)
  }

  #readNext(): boolean {
    if (!this.#isReading || this.#ahead.length + this.#unsettled >= limits.binaryInFlightMax) return false
    const next = this.#reader.next()
    if (next === undefined) return false
    this.#read += 1
    if (next.type === 'problem') this.#endAtProblem(next)
    else this.#ahead.push(this.#entryFor(next))
    return true
  }

  #entryFor(notification: BinaryNotification): Entry {
    const token = encodeDeviceToken(notification.token)
    const record = this.#gateway.registry.cachedToken(token)
    const entry: Entry = {
      session: this,
      notification,
      place: this.#read,
      identifierBefore: this.#identifierRead,
      lookup: record === undefined ? 'pending' : 'done',
      record,
      state: 'ahead',
      isLast: false,
    }
    this.#identifierRead = notification.identifier ?? 0
    if (record === undefined) this.#find(token, entry)
    return entry
  }

  #find(token: string, entry: Entry): void {
    this.#gateway.registry.findToken(token, (error, record) => {
      entry.record = record
      entry.lookup = error === undefined ? 'done' : 'failed'
      this.#pump()
    })
  }

  /** Hands the next notification over; false where it is not ready, or delivery takes none. */
  #handNext(): boolean {
    const entry = this.#ahead[0]
    if (entry === undefined || entry.lookup === 'pending') return false
    const { notification, record } = entry
    if (entry.lookup === 'failed') {
      // Nothing is wrong with the notification: it is to be sent again.
      this.#stopAfterHanded()
      return false
    }
    const flags = scanPayload(notification.payload)
    const refusal = checkNotification(notification, flags, record, this.#client.topics)
    if (refusal !== undefined) {
      traceRejected(this.#gateway, this.#client, notification, refusal)
      this.#endAt(entry, refusal, notification.identifier ?? 0)
      return false
    }
    // Asked once, also where delivery is asked again.
    const fate = entry.state === 'ahead' ? this.#link.trouble?.meet(record!.topic, record!.token) : undefined
    if (fate !== undefined && this.#suffer(entry, fate)) return false
    const nowMs = this.#gateway.now()
    if (!this.#hand(entry, record!, flags, nowMs)) {
      if (this.#heldSinceMs === 0) this.#heldSinceMs = nowMs
      return false
    }
    this.#heldSinceMs = 0
    this.#ahead.shift()
    this.#identifierHanded = notification.identifier ?? 0
    return true
  }

  /** True where the notification does not count. */
  #suffer(entry: Entry, fate: BinaryFate): boolean {
    if (fate === 'overAfterwards') {
      entry.isLast = true
      this.#isReading = false
      this.#ahead = [entry]
      return false
    }
    if (fate === 'over') {
      this.#isReading = false
      this.#ahead = []
    } else {
      const { identifier = 0 } = entry.notification
      this.#endAt(entry, fate.status, fate.status === 'shutdown' ? this.#identifierHanded : identifier)
    }
    return true
  }

  #hand(entry: Entry, record: TokenRecord, flags: number, nowMs: number): boolean {
    const { delivery, feedback, apnsIds, options } = this.#gateway
    const apnsId = apnsIds.next()
    const notification = toNotification(entry.notification, flags, record, options, apnsId, nowMs)
    if (record.inactiveSinceMs > 0) {
      // Accepted, because this interface tells of gone apps by feedback alone.
      entry.state = 'handed'
      this.#unsettled += 1
      traceDiscarded(this.#gateway, notification)
      // Waited for like any other, so that a flood of them is held up while the disk is slow.
      feedback.listAgain(record, () => this.settled(entry, 'accepted'))
      return true
    }
    entry.state = 'handing'
    this.#unsettled += 1
    delivery.accept(notification, entry, settle)
    if ((entry.state as Entry['state']) === 'refused') {
      this.#unsettled -= 1
      return false
    }
    entry.state = 'handed'
    return true
  }

  /** The client is made to wait while much of what it sent is not settled. */
  #regulate(): void {
    const inFlight = this.#ahead.length + this.#unsettled
    const wantsPause =
      this.#isReading && inFlight >= (this.#isPaused ? resumeBelow : limits.binaryInFlightMax)
    if (wantsPause === this.#isPaused) return
    this.#isPaused = wantsPause
    if (wantsPause) this.#link.pause()
    else this.#link.resume()
  }

  /** What is wrong with the bytes: it counts once all before it was handed over. */
  #endAtProblem({ command, problem, status, identifier }: BinaryProblem): void {
    this.#isReading = false
    // Clients send a token of no bytes on purpose, to learn that everything before it was accepted.
    if (problem !== 'tokenEmpty') traceRejected(this.#gateway, this.#client, undefined, status)
    this.#ending.blame(this.#read, command, status, identifier)
  }

  /** Nothing after this notification counts. */
  #endAt(entry: Entry, status: BinaryStatusName, identifier: number): void {
    this.#isReading = false
    this.#ahead = []
    this.#ending.blame(entry.place, entry.notification.command, status, identifier)
  }

  /** What was handed over still counts and is waited for; the rest is to be sent again. */
  #stopAfterHanded(): void {
    this.#ending.giveUp(this.#ahead[0]?.place ?? this.#read + 1, this.#identifierHanded)
    this.#isReading = false
    this.#ahead = []
  }
}

const resumeBelow = limits.binaryInFlightMax >> 1

function settle(entry: Entry, outcome: AcceptOutcome): void {
  entry.session.settled(entry, outcome)
}
