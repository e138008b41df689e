import type { DiscardedWhy, StoredWhy } from './trace.ts'

/** What can happen to a notification, by the number that the journal writes. Numbers are never used again. */
export const stageNumbers = {
  received: 1,
  rejected: 2,
  stored: 3,
  replaced: 4,
  expired: 5,
  discarded: 6,
  sent: 7,
  acknowledged: 8,
  shown: 9,
  opened: 10,
  tokenInactive: 11,
  /** Records are missing here: the disk did not keep up, or the process was killed with some in memory. */
  lost: 12,
} as const

export type Stage = keyof typeof stageNumbers

/** The names of the stages by their numbers; undefined for numbers of a newer version. */
export const stageNames: readonly (Stage | undefined)[] = byNumber(stageNumbers)

/** Every stage that a query may ask for. */
export const stages = Object.keys(stageNumbers) as readonly Stage[]

/** `stored`: why it waits. */
export const storedWhyNumbers = {
  ...{ offline: 1, power: 2, paused: 3, window: 4 },
  /** A broadcast: for the devices that come later. */
  channel: 5,
} as const satisfies Record<StoredWhy | 'channel', number>
export const storedWhyNames: readonly (keyof typeof storedWhyNumbers | undefined)[] =
  byNumber(storedWhyNumbers)

/** `discarded`: why it went nowhere. */
export const discardedWhyNumbers = { expired: 1, unregistered: 2, disabled: 3 } as const satisfies Record<
  DiscardedWhy,
  number
>
export const discardedWhyNames: readonly (DiscardedWhy | undefined)[] = byNumber(discardedWhyNumbers)

/** `lost`: why records are missing. */
export const lostWhyNumbers = { full: 1, killed: 2 } as const
export const lostWhyNames: readonly ('full' | 'killed' | undefined)[] = byNumber(lostWhyNumbers)

function byNumber<Name extends string>(numbers: Readonly<Record<Name, number>>): (Name | undefined)[] {
  const names: (Name | undefined)[] = []
  for (const name in numbers) names[numbers[name]] = name
  return names
}
