import {
  appendBinaryNotification,
  type BinaryErrorPacket,
  BinaryErrorReader,
  ByteWriter,
  encodeBinaryNotification,
  WireError,
} from '@carillon/wire'
import { binaryWriteBytesMax } from './binary-limits.ts'
import type { PendingBinaryPush } from './binary-push.ts'
import type { LegacyTransport, OpenLegacyTransport } from './drivers/legacy-transport.ts'
import type { LegacyTarget } from './legacy-target.ts'
import { SentHistory } from './sent-history.ts'

/** What happens on a connection. */
export interface BinaryConnectionHandler {
  /** Something more may be written. */
  onWritable(): void
  /** It is over: with the service's last word, or without one. The last call. */
  onOver(packet: BinaryErrorPacket | undefined, error: Error | undefined): void
}

/** One connection: notifications out, at most one error packet in, and it is over. */
export class BinaryConnection {
  readonly history: SentHistory
  readonly #command: 0 | 1 | 2
  readonly #handler: BinaryConnectionHandler
  readonly #transport: LegacyTransport
  readonly #reader = new BinaryErrorReader()
  readonly #writer = new ByteWriter(binaryWriteBytesMax)
  #isOpen = false
  #isWriting = false
  #isOver = false
  #flushIdentifier = 0

  constructor(
    target: LegacyTarget,
    open: OpenLegacyTransport,
    options: { readonly command: 0 | 1 | 2; readonly firstIdentifier: number },
    handler: BinaryConnectionHandler,
  ) {
    this.#command = options.command
    this.history = new SentHistory(options.firstIdentifier)
    this.#handler = handler
    this.#transport = open(target, {
      onOpen: () => {
        this.#isOpen = true
        this.#handler.onWritable()
      },
      onBytes: (bytes) => this.#receive(bytes),
      onEnd: () => this.#over(undefined, undefined),
      onClose: (error) => this.#over(undefined, error),
    })
  }

  /** Whether the handshake was done. */
  get wasOpen(): boolean {
    return this.#isOpen
  }

  /** Whether notifications may be written now. */
  get isWritable(): boolean {
    return this.#isOpen && !this.#isWriting && !this.#isOver && this.#flushIdentifier === 0
  }

  /** Whether the system has not taken yet what was written last. */
  get isWriting(): boolean {
    return this.#isWriting
  }

  get isFlushing(): boolean {
    return this.#flushIdentifier !== 0
  }

  /**
   * Writes notifications, as many as go into one write.
   * @returns how many of them
   */
  write(pushes: readonly PendingBinaryPush[], countMax: number): number {
    let count = 0
    this.#writer.clear()
    while (count < Math.min(pushes.length, countMax) && this.#writer.length < binaryWriteBytesMax) {
      const push = pushes[count]!
      this.#append(push, this.history.add(push))
      count += 1
    }
    this.#send(this.#writer.finish())
    return count
  }

  /**
   * Asks whether everything was accepted: with a notification that cannot be, a token of no bytes (jchambers/pushy
   * 0.4). The answer ends the connection.
   */
  flush(): void {
    this.#flushIdentifier = this.history.nextIdentifier
    this.#send(
      encodeBinaryNotification({
        type: 'notification',
        command: 1,
        token: new Uint8Array(0),
        payload: new Uint8Array(0),
        identifier: this.#flushIdentifier,
        expiration: 0,
        priority: undefined,
      }),
    )
  }

  /** Whether this packet says that everything was accepted. Apple's service answered identifier 0. */
  confirms({ status, identifier }: BinaryErrorPacket): boolean {
    return this.isFlushing && status === 2 && (identifier === 0 || identifier === this.#flushIdentifier)
  }

  keepAlive(isNeeded: boolean): void {
    if (isNeeded) this.#transport.ref()
    else this.#transport.unref()
  }

  /** Cuts the connection; `onOver` is called where it was not. */
  cut(): void {
    this.#over(undefined, undefined)
  }

  #append(push: PendingBinaryPush, identifier: number): void {
    const command = this.#command
    const { token, payload, expiration, priority } = push
    const own = { identifier: command === 0 ? undefined : identifier, expiration, priority }
    appendBinaryNotification(this.#writer, { type: 'notification', command, token, payload, ...own })
  }

  #send(bytes: Uint8Array): void {
    this.#isWriting = true
    this.#transport.write(bytes, () => {
      this.#isWriting = false
      if (!this.#isOver) this.#handler.onWritable()
    })
  }

  #receive(bytes: Uint8Array): void {
    this.#reader.push(bytes)
    try {
      const packet = this.#reader.next()
      if (packet !== undefined) this.#over(packet, undefined)
    } catch (cause) {
      if (!(cause instanceof WireError)) throw cause
      this.#over(undefined, cause)
    }
  }

  #over(packet: BinaryErrorPacket | undefined, error: Error | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#transport.abort()
    this.#handler.onOver(packet, error)
  }
}
