/* The small numbers of the courier protocol. Sources and doubts: docs/protocols/courier.md. */
import type { PushType } from '../gateway/push-types.ts'

/** ALPN names. `apns-security-v3`: TLV frames, certificate and signed nonce in `connect`. */
export const courierAlpn = {
  none: '',
  securityV2: 'apns-security-v2',
  securityV3: 'apns-security-v3',
  packV1: 'apns-pack-v1',
} as const

/** `connect.state`. */
export const courierPresence = { present: 1, withdraw: 2 } as const

/** `connect.interface`. */
export const courierInterface = { cellular: 0, wifi: 1, ultraConstrained: 3 } as const

/** `connect.flags`, bits; every known client sends `base`. */
export const courierConnectFlags = {
  base: 0x41,
  root: 0x4,
  wifi: 0x8,
  internal: 0x10,
  debugLog: 0x20,
  simulator: 0x1000,
} as const

/** `connected.status`. The number for a bad nonce time is unconfirmed: clients look at `nonceTimeMs`. */
export const courierConnectStatus = { ok: 0, rejected: 2 } as const

/** `connected.capabilities`, bits. Each creates a duty of the courier: without bit 2 send no `filterReply`. */
export const courierCapabilities = {
  dualChannel: 1,
  lastReversePushRtt: 2,
  filterReplies: 4,
  serverRequestedTtr: 8,
} as const

/** `ack.status`, `uploadAck.status`, `appTokenReply.status`. */
export const courierAckStatus = {
  ok: 0,
  /** From a device: nobody here takes this token or topic. */
  noRecipient: 2,
  tooLong: 3,
  /** Sent before the courier was ready; the client tries again later. */
  tooEarly: 0x80,
} as const

/** `notification.storageFlags`, bits. */
export const courierStorageFlags = { fromStorage: 1, lastFromStorage: 2 } as const

/** `state.state`. */
export const courierActivity = { active: 1, inactive: 2 } as const

/** What clients send as `state.interval`. */
export const courierActivityIntervalForever = 0x7fff_ffff

/** `state.power`, bits: how the device is fed, and whether somebody looks at it. 0: on battery, screen off. */
export const courierPower = { plugged: 1, lowPowerMode: 2, screenOn: 4 } as const

/**
 * `notification.pushType`, by the value of `apns-push-type`; absent where the provider gave none.
 * Unverified against Apple: only the number of `alert` was seen, the others are ours.
 */
export const courierPushTypes = {
  alert: 1,
  background: 2,
  voip: 3,
  complication: 4,
  fileprovider: 5,
  mdm: 6,
  liveactivity: 7,
  location: 8,
  pushtotalk: 9,
  controls: 10,
  widgets: 11,
} as const satisfies Record<PushType, number>

/** `tracingAck.report`: what a device says became of a notification. */
export const courierReports = { shown: 1, opened: 2 } as const

/** `connected.unexplained`. */
export const courierConnectedUnexplained = 2

/** `connect.extensions` and `connected.extensions`, bits: what ours add to the protocol, never unasked. */
export const courierExtensions = {
  /** `appTokenRequest` carries an installation id, so that a reinstalled app gets a new token. */
  installation: 1,
  /** The device reports its power state with `state`, and the courier holds back what can wait. */
  power: 2,
  /** The device reports what it showed and what was opened, with `tracingAck`. */
  reports: 4,
  /** A reconnecting device says in `filter.handled` what it has: it is not sent again. */
  resume: 8,
  /** The courier says with `closing` why it closes and when to come back. */
  closeReason: 16,
} as const
