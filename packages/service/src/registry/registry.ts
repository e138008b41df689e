/** A device as the push service knows it: one row, one base token. */
export interface DeviceRecord {
  /** Row number, the key that messages and tokens refer to. */
  readonly id: number
  /** The identity in its device certificate. */
  readonly deviceId: string
  /** 32 bytes, the token that the device presents when it connects. */
  readonly baseToken: Uint8Array
}

/** A device token: one app on one device in this environment. */
export interface TokenRecord {
  /** Lower-case hex of 32 random bytes. */
  readonly token: string
  readonly tokenBytes: Uint8Array
  /** Row number of the device. */
  readonly device: number
  readonly bundleId: string
  /** The exact topic that the token was asked for: the bundle id, or with a suffix such as `.voip`. */
  readonly topic: string
  /** When the device said that the app is gone, in milliseconds since the epoch; 0 while the token is active. */
  readonly inactiveSinceMs: number
  /** The day (since the epoch) on which the app asked for it last. */
  readonly askedDay: number
}

/** Milliseconds of the days by which `TokenRecord.askedDay` counts. */
export const dayMs = 24 * 60 * 60 * 1000

/**
 * Devices, apps and tokens of one environment, kept in the database behind a bounded cache. Every change is
 * durable before its promise resolves.
 */
export interface Registry {
  /**
   * The token where memory holds it: the hot path of the gateway. `undefined` says nothing: ask `findToken`.
   * @param token any text; hex of either case is understood
   */
  cachedToken(token: string): TokenRecord | undefined
  /**
   * Finds a token. Calls back synchronously where the cache holds the answer, else after a read from the
   * database. `undefined`: no such token was ever issued here.
   * @param token lower-case hex
   */
  findToken(token: string, found: (error: Error | undefined, record: TokenRecord | undefined) => void): void
  /** The device of a certificate identity; makes the row and the base token on first sight. */
  enrolDevice(deviceId: string): Promise<DeviceRecord>
  /** The active token of a topic on a device; issues one where there is none or the installation is another. */
  issueToken(
    device: number,
    topicHash: Uint8Array,
    installation?: Uint8Array,
  ): Promise<TokenRecord | undefined>
  /** Marks a token inactive ("no such app" from its device). Idempotent; the first time counts. */
  deactivateToken(token: string, atMs: number): Promise<void>
  /** The topic behind a SHA-1 topic hash (20 bytes), known from the App IDs and all suffixes. */
  topicOf(topicHash: Uint8Array): { readonly bundleId: string; readonly topic: string } | undefined
}
