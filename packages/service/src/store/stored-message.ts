/** A notification with all that is needed to hand it to its device later. */
export interface StoredMessage {
  /** Its place in the order of acceptance, across all devices; names the message in the store. */
  readonly seq: number
  /** Row number of the device. */
  readonly device: number
  /** Bundle id: the inbox rule counts per device and app. */
  readonly app: string
  readonly topic: string
  /** The device token that the provider addressed, 32 bytes. */
  readonly token: Uint8Array
  /** 16 bytes. */
  readonly apnsId: Uint8Array
  readonly payload: Uint8Array
  /** 10, 5 or 1. */
  readonly priority: number
  /** '' where the provider gave none. */
  readonly pushType: string
  /** '' where there is none. */
  readonly collapseId: string
  /** UNIX seconds after which it is never sent; 0 for one attempt, which is never stored. */
  readonly expiration: number
  readonly receivedAtMs: number
}
