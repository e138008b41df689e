import type { BusInbox } from '../bus/bus.ts'
import { limits } from '../limits.ts'
import type { PowerState } from '../power/power-options.ts'
import type { InboxMessage } from '../store/message-store.ts'
import type { StoredMessage } from '../store/stored-message.ts'
import { BehindQueue } from './behind-queue.ts'
import type { DeviceInbox, DeviceLink } from './device-link.ts'
import { FlowWindow } from './flow-window.ts'
import { tellLeft, tellNotSent } from './left-over.ts'
import type { MailboxHost } from './mailbox-host.ts'
import { Outgoing, type Settle } from './outgoing.ts'
import { PowerGate } from './power-gate.ts'
import { StoredPass } from './stored-pass.ts'

/**
 * Everything on its way to one connected device, in order of acceptance:
 *
 *   stored before → accepted while that is sent (`behind`) → accepted now
 *
 * A message that may be sent at once is sent, and written unless its acknowledgement comes first. Where it may not,
 * because the window is full, it is kept as for a device that is away and read from the store as acknowledgements
 * free the window. What a device that saves power need not have at once is kept in the same way, and sent with the
 * next message that it gets at once, when the device is in use, or when its time has come. So the order is that of
 * acceptance among all that may be sent at a time. Made when a device connects, gone when it leaves.
 */
export class Mailbox implements BusInbox, DeviceInbox {
  readonly device: number
  readonly #link: DeviceLink
  readonly #host: MailboxHost
  readonly #window: FlowWindow
  #pass: StoredPass | undefined
  /** Accepted during a pass; sent when it ends. Already gathered for the disk. */
  readonly #behind: BehindQueue
  /** Something is stored from this place on that no pass has covered. */
  #unreadFrom = nothingUnread
  #hasTopics = false
  /** What the device said on its return it has; until what was stored before is sent. */
  #handled: ReadonlySet<string> | undefined
  /** One read at a time, however often the device names its topics. */
  #isReading = false
  /** Messages that are written at once before the next one waits for its acknowledgement. */
  #writesBeforeGrace = 0
  /** Holds back what can wait; undefined for a device that says nothing of its power: it is taken as awake. */
  #gate: PowerGate | undefined
  #isClosed = false

  constructor(device: number, link: DeviceLink, host: MailboxHost) {
    this.device = device
    this.#link = link
    this.#host = host
    this.#window = new FlowWindow(host.unacked)
    this.#behind = new BehindQueue(host.unacked)
  }

  /** Takes a message that is to be stored until it is acknowledged. */
  offer(message: StoredMessage, settle: Settle): void {
    const wish = this.#link.wishFor(message.topic)
    if (wish === 'drop') {
      this.#host.trace.discarded(message, 'disabled', false, message.receivedAtMs)
      return settle('accepted')
    }
    const mayGo =
      this.#pass === undefined ? this.#window.hasRoomFor(message.payload.length) : this.#behind.hasRoom
    if (wish === 'hold' || !mayGo || this.#unreadFrom !== nothingUnread) {
      if (wish === 'deliver') this.#unreadFrom = Math.min(this.#unreadFrom, message.seq)
      this.#protectSent()
      return this.#host.keepInInbox(message, wish === 'hold' ? 'paused' : 'window', settle)
    }
    if (!this.#isLetGo(message)) {
      this.#gate!.hold(message, this.#pass !== undefined)
      this.#protectSent()
      return this.#host.keepInInbox(message, 'power', settle)
    }
    const isFlushing = this.#pass !== undefined
    const { grace, store } = this.#host
    if (!isFlushing && grace !== undefined && this.#writesBeforeGrace === 0) {
      const outgoing = Outgoing.unwritten(message, store, settle)
      grace.add(outgoing)
      return this.#transmit(outgoing, 'live')
    }
    if (this.#writesBeforeGrace > 0) this.#writesBeforeGrace--
    const outgoing = Outgoing.gathered(message, store, settle)
    if (outgoing === undefined) return settle('busy')
    if (isFlushing) this.#behind.push(outgoing)
    else this.#transmit(outgoing, 'live')
  }

  /** Takes a message that is sent now or never. */
  offerOnce(message: StoredMessage): void {
    const wish = this.#link.wishFor(message.topic)
    // Apple's figure: a device that saves power is as one that is away, and what may not be stored is discarded.
    if (wish === 'deliver' && this.#isLetGo(message)) {
      if (this.#pass !== undefined) {
        if (this.#behind.hasRoom) return this.#behind.push(Outgoing.once(message))
      } else if (this.#window.hasRoomFor(message.payload.length)) {
        return this.#transmit(Outgoing.once(message), 'live')
      }
    }
    const why = wish === 'drop' ? 'disabled' : 'expired'
    this.#host.trace.discarded(message, why, false, message.receivedAtMs)
  }

  topicsChanged(): void {
    this.#hasTopics = true
    // The pass covers what is held, and finds out anew what still has to wait.
    this.#gate?.takeAll()
    const firstBehind = this.#behind.firstSeq
    if (firstBehind === undefined) {
      this.#begin(0, this.#host.store.lastSeq, true)
    } else {
      // Begin again, up to where those behind begin; what was held since then is for another pass.
      this.#unreadFrom = Math.min(this.#unreadFrom, firstBehind)
      this.#begin(0, firstBehind - 1, true)
    }
    this.#pump()
  }

  handled(apnsIds: readonly Uint8Array[]): void {
    this.#handled = new Set(apnsIds.map(apnsIdKey))
  }

  acknowledged(id: number, status: number): void {
    const outgoing = this.#window.take(id, this.#host.steadyMs)
    if (outgoing === undefined) return
    const { trace, store, grace } = this.#host
    const { message, isFromStorage } = outgoing
    const nowMs = this.#host.now()
    // A device that is slower than the wait is spared it for a while: it would only delay the provider.
    if (outgoing.outlastedGrace && grace?.cameLate(nowMs - message.receivedAtMs) === true) {
      this.#writesBeforeGrace = writesAfterSlowAck
    }
    if (status === noRecipientStatus) {
      trace.discarded(message, 'unregistered', isFromStorage, nowMs)
      this.#host.noRecipient(message)
    } else {
      trace.acknowledged(message, status, isFromStorage, nowMs)
    }
    outgoing.acknowledged(store)
    this.#pump()
  }

  /** The device tells how it is fed, and whether somebody looks at it. */
  powerChanged(power: PowerState): void {
    const { power: policy } = this.#host
    if (policy === undefined) return
    if (this.#gate === undefined) this.#gate = new PowerGate(policy, this.#host, this.device, power)
    else this.#release(this.#gate.changed(power))
  }

  /** Something that is held has waited for its longest time. */
  due(nowMs: number): void {
    if (this.#gate !== undefined && !this.#isClosed) this.#release(this.#gate.takeDue(nowMs))
  }

  /** Once a second: a device that owes an acknowledgement for too long is sent away, and comes again or not. */
  tick(): void {
    if (this.#window.owesForMs(this.#host.steadyMs) <= limits.unackedMsMax) return
    this.close()
    this.#link.end('does not acknowledge')
  }

  wake(): void {
    this.#unreadFrom = 0
    this.#pump()
  }

  replaced(): void {
    this.#end()
    this.#link.end('replaced')
  }

  /**
   * The store has removed a message by its own rules: it is not sent any more. Where it was sent already its
   * acknowledgement is waited for, which says more of what became of it.
   *
   * @returns true where that is so
   */
  removed(seq: number, why: 'expired' | Uint8Array): boolean {
    this.#pass?.forget(seq)
    this.#behind.forget(seq)
    const sent = this.#window.find(seq)
    if (sent === undefined) return false
    sent.removed = why
    return true
  }

  close(): void {
    if (this.#isClosed) return
    this.#end()
    this.#host.withdraw(this.device, this)
  }

  #end(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#host.ended(this)
    const { trace, now } = this.#host
    const nowMs = now()
    for (const outgoing of this.#window.waiting()) {
      if (outgoing.writeNow()) tellLeft(outgoing, trace, nowMs)
      else outgoing.giveUp()
    }
    this.#protectSent()
    for (const outgoing of this.#behind.all) tellLeft(outgoing, trace, nowMs)
    this.#behind.drop(Number.POSITIVE_INFINITY)
    this.#window.end()
    this.#pass = undefined
  }

  /** Sends what may be sent, source by source. */
  #pump(): void {
    while (!this.#isClosed && this.#hasTopics) {
      if (this.#pass === undefined) {
        if (this.#unreadFrom === nothingUnread || !this.#window.isHalfFree) return
        // What waits for others to go along with goes along.
        const from = Math.min(this.#unreadFrom, this.#gate?.takeGroup() ?? nothingUnread)
        this.#begin(from - 1, this.#host.store.lastSeq, false)
      }
      const pass = this.#pass!
      if (!this.#sendPage(pass)) return pass.putBack()
      if (pass.hasMore) return this.#window.isHalfFree ? this.#readPage(pass) : undefined
      if (!this.#sendBehind()) return
      this.#pass = undefined
      this.#handled = undefined
      if (pass.isAfterTopics) this.#link.storageSent()
    }
  }

  #begin(afterSeq: number, throughSeq: number, isAfterTopics: boolean): void {
    // What is already on the wire is stored too and must not go twice.
    const sent = this.#window.size === 0 ? undefined : this.#window.seqs()
    this.#pass = new StoredPass(
      Math.max(0, afterSeq),
      throughSeq,
      isAfterTopics || this.#pass?.isAfterTopics === true,
      sent,
    )
    if (this.#behind.firstSeq === undefined) this.#unreadFrom = nothingUnread
  }

  /** Sends the page at hand; false where the window is full before its end. */
  #sendPage(pass: StoredPass): boolean {
    const nowSeconds = this.#host.now() / 1000
    for (let message = pass.peek(); message !== undefined; message = pass.peek()) {
      if (pass.wasSent(message)) {
        pass.next()
      } else if (this.#handled?.has(apnsIdKey(message.apnsId)) === true) {
        // Its acknowledgement was lost with an earlier connection.
        this.#host.trace.acknowledged(message, 0, true, this.#host.now())
        this.#host.store.remove(message.seq)
        pass.next()
      } else if (message.expiration <= nowSeconds) {
        this.#host.store.removeExpired(message)
        pass.next()
      } else if (!this.#sendStored(pass, message)) {
        return false
      }
    }
    return true
  }

  #sendStored(pass: StoredPass, message: InboxMessage): boolean {
    const wish = this.#link.wishFor(message.topic)
    if (wish === 'deliver') {
      if (!this.#window.hasRoomFor(message.payload.length)) return false
      pass.next()
      if (!this.#isLetGo(message)) {
        this.#gate!.hold(message, true)
        return true
      }
      const isLast = !pass.hasMore && pass.remaining === 0
      this.#transmit(Outgoing.fromStore(message, message.inboxMax), isLast ? 'last from storage' : 'storage')
      return true
    }
    if (wish === 'drop') {
      this.#host.trace.discarded(message, 'disabled', true, this.#host.now())
      this.#host.store.remove(message.seq)
    }
    pass.next()
    return true
  }

  #readPage(pass: StoredPass): void {
    if (this.#isReading) return
    this.#isReading = true
    this.#host.store.read(this.device, pass.afterSeq, pass.throughSeq).then(
      (page) => {
        this.#isReading = false
        // The session may have ended, or its topics changed, while the disk was at work.
        if (this.#pass === pass) pass.take(page)
        this.#pump()
      },
      (error: unknown) => {
        this.#isReading = false
        if (this.#pass !== pass) return this.#pump()
        // What is stored stays stored; closing the session makes the device come again and read it then.
        this.#host.readFailed(this.device, error)
        this.close()
        this.#link.end('store failed')
      },
    )
  }

  #sendBehind(): boolean {
    const { now, store, trace } = this.#host
    const nowMs = now()
    for (let outgoing = this.#behind.peek(); outgoing !== undefined; outgoing = this.#behind.peek()) {
      // The device may have named other topics since.
      const wish = this.#link.wishFor(outgoing.message.topic)
      if (wish === 'deliver' && !outgoing.isTooLate(nowMs)) {
        if (!this.#window.hasRoomFor(outgoing.bytes)) return false
        this.#transmit(outgoing, 'live')
      } else {
        tellNotSent(outgoing, wish, trace, nowMs)
        // What is held stays stored for the pass that names it again.
        if (wish !== 'hold' || outgoing.isTooLate(nowMs)) outgoing.acknowledged(store)
      }
      this.#behind.drop(1)
    }
    return true
  }

  /** Whether a message may go by what the device says of its power. One that may takes along what waits for that. */
  #isLetGo(message: StoredMessage): boolean {
    if (this.#gate === undefined) return true
    const isMoving = this.#pass !== undefined
    if (!this.#gate.lets(message, isMoving)) return false
    if (!isMoving) this.#release(this.#gate.takeGroup(), message.seq - 1)
    return true
  }

  /** Sends what was held from this place on; what is accepted meanwhile goes behind it. */
  #release(fromSeq: number, throughSeq: number = this.#host.store.lastSeq): void {
    if (fromSeq === nothingUnread || this.#isClosed) return
    if (this.#pass === undefined && this.#unreadFrom === nothingUnread && this.#hasTopics) {
      this.#begin(fromSeq - 1, throughSeq, false)
    } else {
      this.#unreadFrom = Math.min(this.#unreadFrom, fromSeq)
    }
    this.#pump()
  }

  #transmit(outgoing: Outgoing, origin: 'live' | 'storage' | 'last from storage'): void {
    const id = this.#window.add(outgoing, this.#host.steadyMs)
    this.#host.trace.sent(outgoing.message, outgoing.isFromStorage, this.#host.now())
    this.#link.send(outgoing.message, id, origin)
  }

  /** The inbox rule does not drop what was put on the wire. */
  #protectSent(): void {
    const sent = this.#window.takeUnprotected()
    if (sent.length > 0) this.#host.store.protect(sent.map((outgoing) => outgoing.message))
  }
}

/** How long a slow device is spared the wait. */
const writesAfterSlowAck = 4

function apnsIdKey({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1')
}

const nothingUnread = Number.POSITIVE_INFINITY

/** A device's word that it has no app for a token. */
const noRecipientStatus = 2
