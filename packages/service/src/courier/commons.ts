import { Admission, type AdmissionOptions, type Later } from './admission.ts'
import { NonceMemory } from './nonce-memory.ts'

/**
 * What the couriers of one process share. A signed nonce names no environment, so one that was used in the sandbox must
 * be known in production, too; and one processor does the handshakes of both.
 */
export interface CourierCommons {
  readonly nonces: NonceMemory
  readonly admission: Admission
}

/** @param now milliseconds since the epoch */
export function courierCommons(options: AdmissionOptions, now: () => number, later: Later): CourierCommons {
  return { nonces: new NonceMemory(), admission: new Admission(options, now, later) }
}
