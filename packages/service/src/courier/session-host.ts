import type { DeviceInbox, DeviceLink } from '../delivery/device-link.ts'
import type { Registry } from '../registry/registry.ts'
import type { Later } from './admission.ts'
import type { DeviceHooks } from './connected-device.ts'
import type { ConnectRules, RejectionReason } from './session-connect.ts'
import type { CloseReason } from './session-limits.ts'
import type { TopicHashes } from './topic-hashes.ts'

/** What all sessions of one courier share. */
export interface SessionHost {
  readonly rules: ConnectRules
  readonly registry: Pick<Registry, 'enrolDevice' | 'issueToken' | 'topicOf'>
  /** Where sessions meet delivery. */
  attach(device: number, link: DeviceLink): DeviceInbox
  /** Parts that serve devices beside notifications. */
  readonly hooks: DeviceHooks
  readonly hashes: TopicHashes
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** By which dead-lines are kept; see `steadyClock`. */
  readonly steadyNow: () => number
  /**
   * A base token that is not the device's: false answers with the right one, true refuses with status 2 and
   * closes, as clients have seen Apple do.
   */
  readonly refusesUnknownBaseToken: boolean
  readonly counters: CourierCounters
  /** What packed clients are told of keep-alives. */
  readonly keepAlive: KeepAliveBounds
  /** Set while the courier sends its devices away. */
  drain: Drain | undefined
  /** A number from 0 to 1, for what is spread over devices. */
  readonly spread: () => number
  readonly later: Later
  readonly onTrouble: (sentence: string, cause: unknown) => void
}

/** The bounds between which devices choose the time between two keep-alives, as `connected` names them. */
export interface KeepAliveBounds {
  readonly keepAliveSecondsMin: number
  /** What a device begins with. */
  readonly keepAliveSeconds: number
  readonly keepAliveSecondsMax: number
}

/** Where devices have to go, and when. */
export interface Drain {
  /** `host` or `host:port` of another courier; absent: back here. */
  readonly to?: string
  /** Those who come back here are spread over so many milliseconds. */
  readonly retryMsMax: number
}

/** Counted since the start. */
export interface CourierCounters {
  opened: number
  connected: number
  notifications: number
  acknowledgements: number
  /** From devices; of those, the ones that asked for a delayed reply; delayed replies sent. */
  keepAlives: number
  keepAlivesDelayed: number
  keepAliveRepliesDelayed: number
  /** Silent devices that were asked for a keep-alive. */
  keepAliveRequests: number
  /** Notifications that devices said on their return they have, so that none of them is sent again. */
  resumed: number
  /** Devices sent to another courier. */
  redirected: number
  /** Connections closed before their handshake, because too many came at once or too many are open. */
  refused: number
  /** Commands that the courier does not know, and known ones without a field they need. */
  unknownCommands: number
  unusableMessages: number
  /** Messages other than `connect` before the device was known, and second `connect`s for other tokens. */
  misplacedMessages: number
  /** Connections cut because too many others came while they had not proven who they are. */
  crowdedOut: number
  readonly rejected: Partial<Record<RejectionReason, number>>
  readonly closed: Partial<Record<CloseReason, number>>
}

export function newCourierCounters(): CourierCounters {
  return {
    opened: 0,
    connected: 0,
    notifications: 0,
    acknowledgements: 0,
    keepAlives: 0,
    keepAlivesDelayed: 0,
    keepAliveRepliesDelayed: 0,
    keepAliveRequests: 0,
    resumed: 0,
    redirected: 0,
    refused: 0,
    unknownCommands: 0,
    unusableMessages: 0,
    misplacedMessages: 0,
    crowdedOut: 0,
    rejected: {},
    closed: {},
  }
}

/** The connection under a session, as the session sees it. */
export interface SessionLink {
  /** Takes a whole frame; sent together with others at the end of the turn. */
  write(frame: Uint8Array): void
  /** The device has proven who it is. */
  known(): void
  /** The session wants its `tick` after so many milliseconds, sooner than it said last. */
  dueIn(delayMs: number): void
  /** Sends what was written, then closes. */
  close(reason: CloseReason): void
}
