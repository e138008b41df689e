import { courierExtensions, courierPower, type MessageOf } from '@carillon/wire'
import type { PowerState } from './power-options.ts'

/** A device, as far as its reports of power concern it. */
interface ReportingDevice {
  readonly deviceRow: number
  readonly extensions: number
}

/** Takes what devices report with `state`, where they agreed to. */
export function powerHook(reported: (device: number, power: PowerState) => void) {
  return {
    reported(device: ReportingDevice, { power }: MessageOf<'state'>): void {
      if (power === undefined || (device.extensions & courierExtensions.power) === 0) return
      reported(device.deviceRow, powerStateOf(power))
    },
    /** What a device said is forgotten with its session: it says it again when it comes back. */
    ended(): void {},
  }
}

/** @param bits see `courierPower` */
export function powerStateOf(bits: number): PowerState {
  return {
    isPlugged: (bits & courierPower.plugged) !== 0,
    isLowPowerMode: (bits & courierPower.lowPowerMode) !== 0,
    isScreenOn: (bits & courierPower.screenOn) !== 0,
  }
}
