import type { BusInbox } from '../bus/bus.ts'
import { limits } from '../limits.ts'
import type { InboxMessage, MessageStore } from '../store/message-store.ts'
import type { StoredMessage } from '../store/stored-message.ts'
import type { AckGrace } from './ack-grace.ts'
import type { DeviceInbox, DeviceLink } from './device-link.ts'
import { FlowWindow } from './flow-window.ts'
import { Outgoing, type Settle } from './outgoing.ts'
import { StoredPass } from './stored-pass.ts'

/** What a mailbox needs of delivery. */
export interface MailboxHost {
  readonly store: MessageStore
  /** The wait for an acknowledgement before a write; absent where every message is written at once. */
  readonly grace: AckGrace | undefined
  readonly now: () => number
  /** Keeps a message by the inbox rule, as for a device that is away. */
  keepInInbox(message: StoredMessage, settle: Settle): void
  /** The device says that nobody there takes this message's token. */
  noRecipient(message: StoredMessage): void
  /** The store could not be read. */
  readFailed(device: number, error: unknown): void
  withdraw(device: number, mailbox: Mailbox): void
}

/**
 * Everything on its way to one connected device, in order of acceptance:
 *
 *   stored before → accepted while that is sent (`behind`) → accepted now
 *
 * A message that may be sent at once is sent, and written unless its acknowledgement comes first. Where it may not, because the
 * window is full, it is kept as for a device that is away and read from the store as acknowledgements free
 * the window. Made when a device connects, gone when it leaves.
 */
export class Mailbox implements BusInbox, DeviceInbox {
  readonly device: number
  readonly #link: DeviceLink
  readonly #host: MailboxHost
  readonly #window = new FlowWindow()
  #pass: StoredPass | undefined
  /** Accepted during a pass; sent when it ends. Already gathered for the disk. */
  #behind: Outgoing[] = []
  /** Something is stored from this place on that no pass has covered. */
  #unreadFrom = nothingUnread
  #hasTopics = false
  /** One read at a time, however often the device names its topics. */
  #isReading = false
  /** Messages that are written at once before the next one waits for its acknowledgement. */
  #writesBeforeGrace = 0
  #isClosed = false

  constructor(device: number, link: DeviceLink, host: MailboxHost) {
    this.device = device
    this.#link = link
    this.#host = host
  }

  /** Takes a message that is to be stored until it is acknowledged. */
  offer(message: StoredMessage, settle: Settle): void {
    const wish = this.#link.wishFor(message.topic)
    if (wish === 'drop') return settle('accepted')
    const isFlushing = this.#pass !== undefined
    const mayGo = isFlushing
      ? this.#behind.length < limits.behindFlushMax
      : this.#window.hasRoomFor(message.payload.length)
    if (wish === 'hold' || !mayGo || this.#unreadFrom !== nothingUnread) {
      if (wish === 'deliver') this.#unreadFrom = Math.min(this.#unreadFrom, message.seq)
      this.#protectSent()
      return this.#host.keepInInbox(message, settle)
    }
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
    if (this.#link.wishFor(message.topic) !== 'deliver') return
    if (this.#pass !== undefined) {
      if (this.#behind.length < limits.behindFlushMax) this.#behind.push(Outgoing.once(message))
    } else if (this.#window.hasRoomFor(message.payload.length)) {
      this.#transmit(Outgoing.once(message), 'live')
    }
  }

  topicsChanged(): void {
    this.#hasTopics = true
    const firstBehind = this.#behind[0]?.message.seq
    if (firstBehind === undefined) {
      this.#begin(0, this.#host.store.lastSeq, true)
    } else {
      // Begin again, up to where those behind begin; what was held since then is for another pass.
      this.#unreadFrom = Math.min(this.#unreadFrom, firstBehind)
      this.#begin(0, firstBehind - 1, true)
    }
    this.#pump()
  }

  acknowledged(id: number, status: number): void {
    const outgoing = this.#window.take(id)
    if (outgoing === undefined) return
    // A device that is slower than the wait is spared it for a while: it would only delay the provider.
    if (outgoing.outlastedGrace) this.#writesBeforeGrace = writesAfterSlowAck
    if (status === noRecipientStatus) this.#host.noRecipient(outgoing.message)
    outgoing.acknowledged(this.#host.store)
    this.#pump()
  }

  wake(): void {
    this.#unreadFrom = 0
    this.#pump()
  }

  replaced(): void {
    this.#end()
    this.#link.end('replaced')
  }

  close(): void {
    if (this.#isClosed) return
    this.#end()
    this.#host.withdraw(this.device, this)
  }

  #end(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const outgoing of this.#window.waiting()) if (!outgoing.writeNow()) outgoing.giveUp()
    this.#protectSent()
    this.#pass = undefined
    this.#behind = []
  }

  /** Sends what may be sent, source by source. */
  #pump(): void {
    while (!this.#isClosed && this.#hasTopics) {
      if (this.#pass === undefined) {
        if (this.#unreadFrom === nothingUnread || !this.#window.isHalfFree) return
        this.#begin(this.#unreadFrom - 1, this.#host.store.lastSeq, false)
      }
      const pass = this.#pass!
      if (!this.#sendPage(pass)) return
      if (pass.hasMore) return this.#readPage(pass)
      if (!this.#sendBehind()) return
      this.#pass = undefined
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
    if (this.#behind.length === 0) this.#unreadFrom = nothingUnread
  }

  /** Sends the page at hand; false where the window is full before its end. */
  #sendPage(pass: StoredPass): boolean {
    const nowSeconds = this.#host.now() / 1000
    for (let message = pass.peek(); message !== undefined; message = pass.peek()) {
      if (pass.wasSent(message)) {
        pass.next()
      } else if (message.expiration <= nowSeconds) {
        this.#host.store.remove(message.seq)
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
      const isLast = !pass.hasMore && pass.remaining === 0
      this.#transmit(Outgoing.fromStore(message, message.inboxMax), isLast ? 'last from storage' : 'storage')
      return true
    }
    if (wish === 'drop') this.#host.store.remove(message.seq)
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
    let sent = 0
    const nowMs = this.#host.now()
    for (const outgoing of this.#behind) {
      // The device may have named other topics since. What is held stays stored for the pass that names it again.
      const wish = this.#link.wishFor(outgoing.message.topic)
      if (wish === 'drop' || outgoing.isTooLate(nowMs)) {
        outgoing.acknowledged(this.#host.store)
      } else if (wish === 'deliver') {
        if (!this.#window.hasRoomFor(outgoing.bytes)) break
        this.#transmit(outgoing, 'live')
      }
      sent++
    }
    if (sent === this.#behind.length) this.#behind = []
    else this.#behind.splice(0, sent)
    return this.#behind.length === 0
  }

  #transmit(outgoing: Outgoing, origin: 'live' | 'storage' | 'last from storage'): void {
    const id = this.#window.add(outgoing)
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

const nothingUnread = Number.POSITIVE_INFINITY

/** A device's word that it has no app for a token. */
const noRecipientStatus = 2
