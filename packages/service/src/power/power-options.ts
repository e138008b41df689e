/**
 * How long notifications that can wait are held for a device that reports its power. A device that reports
 * nothing is taken as awake. Apple publishes that priorities 5 and 1 are grouped and held and background pushes
 * are few; all figures but the one of background pushes are ours.
 */
export interface PowerOptions {
  /** Milliseconds that priority 5 waits at most, on battery with the screen off. */
  readonly groupMs: number
  /** The same in low power mode. */
  readonly lowPowerGroupMs: number
  /** Milliseconds that priority 1 waits at most, on battery with the screen off. */
  readonly lowestMs: number
  /** The same in low power mode. */
  readonly lowPowerLowestMs: number
  /**
   * Background pushes that one app gets on one device in an hour; further ones wait and only the newest is kept.
   * Apple: "Pushing background updates to your app" names two or three. Not counted while the device is plugged in
   * with its screen on.
   */
  readonly backgroundPushesPerHour: number
  /** Live Activity updates of priority 10 that one app gets on one device in an hour; further ones count as priority 5. */
  readonly liveActivityUpdatesPerHour: number
  /** The same for the apps of `frequentUpdateApps`. */
  readonly frequentLiveActivityUpdatesPerHour: number
  /** Bundle ids of apps with NSSupportsLiveActivitiesFrequentUpdates. */
  readonly frequentUpdateApps: readonly string[]
}

// Unverified against Apple: the figures.
export const powerDefaults: PowerOptions = {
  groupMs: 60_000,
  lowPowerGroupMs: 15 * 60_000,
  lowestMs: 60 * 60_000,
  lowPowerLowestMs: 4 * 60 * 60_000,
  backgroundPushesPerHour: 3,
  liveActivityUpdatesPerHour: 16,
  frequentLiveActivityUpdatesPerHour: 120,
  frequentUpdateApps: [],
}

/** What a device says of itself. */
export interface PowerState {
  readonly isPlugged: boolean
  readonly isLowPowerMode: boolean
  readonly isScreenOn: boolean
}
