import { DeviceError } from './device-error.ts'
import { type DeviceFiles, replaceFile } from './state/device-files.ts'
import { createSigningRequest, deviceIdentityIn, deviceKeyIn, type KeptIdentity } from './state/device-key.ts'

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

/** Who this device is: what its directory says, and once in its life what the portal says. */
export class DeviceActivation {
  readonly #files: DeviceFiles
  readonly #activate: Activate
  readonly #now: () => number
  #identity: KeptIdentity | undefined
  #underWay: Promise<KeptIdentity> | undefined

  constructor(files: DeviceFiles, activate: Activate, now: () => number) {
    this.#files = files
    this.#activate = activate
    this.#now = now
  }

  /** Known once the device was activated. */
  get identity(): KeptIdentity | undefined {
    return this.#identity
  }

  /**
   * What an earlier process left in the directory.
   *
   * @throws DeviceError `STATE_UNREADABLE`
   */
  async load(): Promise<void> {
    this.#identity = await deviceIdentityIn(this.#files, await deviceKeyIn(this.#files))
  }

  /**
   * The identity; asks the portal for a certificate where there is none yet, or where it has expired. Asked twice
   * at once, both get the same.
   *
   * @throws DeviceError `ACTIVATION_FAILED`, `STATE_UNREADABLE`
   */
  activated(udid: string | undefined): Promise<KeptIdentity> {
    const known = this.#identity
    if (known && known.expiresAtMs > this.#now()) return Promise.resolve(known)
    this.#underWay ??= this.#ask(known?.udid ?? udid).finally(() => {
      this.#underWay = undefined
    })
    return this.#underWay
  }

  async #ask(udid: string | undefined): Promise<KeptIdentity> {
    const key = await deviceKeyIn(this.#files)
    const csrPem = await createSigningRequest(key, 'Carillon device')
    const answer = await this.#askPortal({ csrPem, ...(udid === undefined ? {} : { udid }) })
    await replaceFile(this.#files.certificate, `${answer.certPem.trimEnd()}\n${answer.chainPem}`)
    const identity = await deviceIdentityIn(this.#files, key)
    if (!identity || identity.expiresAtMs <= this.#now())
      throw new DeviceError(
        'ACTIVATION_FAILED',
        'The portal sent no certificate that is valid now.',
        'Compare the clocks of this machine and of the portal, then start the device again.',
      )
    this.#identity = identity
    return identity
  }

  async #askPortal(request: ActivationRequest): Promise<Activation> {
    try {
      return await this.#activate(request)
    } catch (cause) {
      throw new DeviceError(
        'ACTIVATION_FAILED',
        `The portal did not activate this device: ${(cause as Error).message}`,
        (cause as { fix?: string }).fix ?? 'Check that the system runs, then start the device again.',
        cause,
      )
    }
  }
}
