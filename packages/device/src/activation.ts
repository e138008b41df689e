import { DeviceError } from './device-error.ts'
import type { DeviceIdentity } from './session/courier-session.ts'
import { type DeviceFiles, replaceFile } from './state/device-files.ts'
import { createSigningRequest, deviceIdentityIn, deviceKeyIn } from './state/device-key.ts'

/** What a device asks of the portal once in its life. */
export interface ActivationRequest {
  /** PKCS#10 for the device's own key, PEM. */
  readonly csrPem: string
  /** The registered device that this is; absent for one that nobody registered. */
  readonly udid?: string
}

export interface Activation {
  /** The device certificate, PEM. */
  readonly certPem: string
  /** The CAs behind it, PEM. */
  readonly chainPem: string
}

/** How to reach the portal; `system` and the command line know. */
export type Activate = (request: ActivationRequest) => Promise<Activation>

/** The identity in the state directory; asks the portal for a certificate where there is none yet. */
export async function activated(
  files: DeviceFiles,
  activate: Activate,
  udid: string | undefined,
): Promise<DeviceIdentity> {
  const key = await deviceKeyIn(files)
  const known = await deviceIdentityIn(files, key)
  if (known) return known
  const csrPem = await createSigningRequest(key, 'Carillon device')
  let answer: Activation
  try {
    answer = await activate({ csrPem, ...(udid === undefined ? {} : { udid }) })
  } catch (cause) {
    throw new DeviceError(
      'ACTIVATION_FAILED',
      `The portal did not activate this device: ${(cause as Error).message}`,
      (cause as { fix?: string }).fix ?? 'Check that the system runs, then start the device again.',
      cause,
    )
  }
  await replaceFile(files.certificate, `${answer.certPem.trimEnd()}\n${answer.chainPem}`)
  const identity = await deviceIdentityIn(files, key)
  if (!identity)
    throw new DeviceError('ACTIVATION_FAILED', 'The portal sent no certificate.', 'Start the device again.')
  return identity
}
