import type { DeviceInbox, DeviceLink } from '../delivery/device-link.ts'
import type { Registry } from '../registry/registry.ts'
import type { ConnectRules, RejectionReason } from './session-connect.ts'
import type { CloseReason } from './session-limits.ts'
import type { TopicHashes } from './topic-hashes.ts'

/** What all sessions of one courier share. */
export interface SessionHost {
  readonly rules: ConnectRules
  readonly registry: Pick<Registry, 'enrolDevice' | 'issueToken' | 'topicOf'>
  /** Where sessions meet delivery. */
  attach(device: number, link: DeviceLink): DeviceInbox
  readonly hashes: TopicHashes
  readonly now: () => number
  /**
   * A base token that is not the device's: false answers with the right one, true refuses with status 2 and
   * closes, as clients have seen Apple do.
   */
  readonly refusesUnknownBaseToken: boolean
  readonly counters: CourierCounters
  readonly onTrouble: (sentence: string, cause: unknown) => void
}

/** Counted since the start. */
export interface CourierCounters {
  opened: number
  connected: number
  notifications: number
  acknowledgements: number
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
  /** Sends what was written, then closes. */
  close(reason: CloseReason): void
}
