import type { AdmissionOptions } from '../admission.ts'
import { type CourierCommons, courierCommons } from '../commons.ts'
import { later } from './later.ts'

/**
 * What the couriers of one process share: give it to each `startService` of the process as `commons`.
 *
 * @param now milliseconds since the epoch
 */
export function openCourierCommons(options: AdmissionOptions, now: () => number): CourierCommons {
  return courierCommons(options, now, later)
}
