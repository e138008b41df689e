import { courierPower } from '@carillon/wire'

/** How a device is fed, and whether somebody looks at it: what the push service holds back depends on it. */
export interface DevicePower {
  /** Priorities 5 and 1 come at once. */
  readonly plugged: boolean
  /** They are held for longer. */
  readonly lowPower: boolean
  /** Priorities 5 and 1 come at once. */
  readonly screenOn: boolean
}

/** As the courier is told: bits of `courierPower`. */
export function powerBits({ plugged, lowPower, screenOn }: DevicePower): number {
  return (
    (plugged ? courierPower.plugged : 0) |
    (lowPower ? courierPower.lowPowerMode : 0) |
    (screenOn ? courierPower.screenOn : 0)
  )
}
