import type { PowerPolicy } from '../power/power-policy.ts'
import type { MessageStore } from '../store/message-store.ts'
import type { StoredMessage } from '../store/stored-message.ts'
import type { StoredWhy, Trace } from '../trace/trace.ts'
import type { AckGrace } from './ack-grace.ts'
import type { Mailbox } from './mailbox.ts'
import type { Settle } from './outgoing.ts'
import type { PowerGateHost } from './power-gate.ts'
import type { UnackedTotal } from './unacked-total.ts'

/** What a mailbox needs of delivery. */
export interface MailboxHost extends PowerGateHost {
  readonly store: MessageStore
  /** The wait for an acknowledgement before a write; absent where every message is written at once. */
  readonly grace: AckGrace | undefined
  readonly trace: Trace
  /** What is in memory for all devices. */
  readonly unacked: UnackedTotal
  /** What the steady clock said at the last tick; to the second. */
  readonly steadyMs: number
  /** What waits for a better moment; absent where devices' power does not count. */
  readonly power: PowerPolicy | undefined
  /** Keeps a message by the inbox rule, as for a device that is away. */
  keepInInbox(message: StoredMessage, why: StoredWhy, settle: Settle): void
  /** The device says that nobody there takes this message's token. */
  noRecipient(message: StoredMessage): void
  /** The store could not be read. */
  readFailed(device: number, error: unknown): void
  withdraw(device: number, mailbox: Mailbox): void
  /** Its session is over, one way or another. */
  ended(mailbox: Mailbox): void
}
