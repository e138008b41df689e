import type { StoredMessage } from '../store/stored-message.ts'

/**
 * What a connected device wants done with a topic. `hold`: keep it stored, for a topic that is paused or that
 * the device has not named yet. `drop`: the device ignores the topic.
 */
export type TopicWish = 'deliver' | 'hold' | 'drop'

/** Where a notification comes from, for the device to know. */
export type Origin = 'live' | 'storage' | 'last from storage'

/** The session of a device, as delivery sees it. Delivery never imports the courier: the session implements this. */
export interface DeviceLink {
  wishFor(topic: string): TopicWish
  /** Puts a notification on the wire. `id` comes back in the acknowledgement. */
  send(message: StoredMessage, id: number, origin: Origin): void
  /** What was stored has been sent. */
  storageSent(): void
  /**
   * Delivery is over: another session of the device took over, what is stored cannot be read, or the device owes
   * an acknowledgement for too long.
   */
  end(why: 'replaced' | 'store failed' | 'does not acknowledge'): void
}

/** The device's side of delivery, as its session sees it. */
export interface DeviceInbox {
  /** The device has named its topics: sends what is stored for them, in order, then what comes. */
  topicsChanged(): void
  /**
   * Before it names its topics, a device that came back says what it has dealt with: that is not sent again.
   *
   * @param apnsIds of 16 bytes, as in `StoredMessage`
   */
  handled(apnsIds: readonly Uint8Array[]): void
  /** @param status of the acknowledgement: 0 taken, 2 nobody takes this token, others: given up by the device */
  acknowledged(id: number, status: number): void
  /** The session has ended. What was not acknowledged stays stored. */
  close(): void
}
