import type { Environment } from '@carillon/wire'

/** What a device reads from a `.mobileprovision`. Apple: TN3125 "Inside Code Signing: Provisioning Profiles". */
export interface ProvisioningProfile {
  readonly uuid: string
  readonly name: string
  readonly teamId: string
  /** The App ID without its prefix; ends in `*` for a wildcard. */
  readonly bundleId: string
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number
  /** UDIDs; undefined where the profile names none (App Store, in-house). */
  readonly devices: readonly string[] | undefined
  readonly allDevices: boolean
  /** From the `aps-environment` entitlement; undefined without push. */
  readonly environment: Environment | undefined
}
