import type { Environment } from '@carillon/wire'
import { DeviceError } from '../device-error.ts'
import type { ProvisioningProfile } from './provisioning-profile.ts'

/**
 * May this app run on this device now, and in which environment does it register? In the order in which a
 * phone refuses: expired, other app, other device, without push.
 *
 * @param app.udid undefined for a device that was never activated: the profile must leave no doubt which one it is
 * @param app.nowMs milliseconds since 1970
 * @throws DeviceError `PROFILE_EXPIRED`, `PROFILE_OTHER_APP`, `PROFILE_OTHER_DEVICE`, `PROFILE_WITHOUT_PUSH`,
 *   `DEVICE_AMBIGUOUS`
 */
export function checkProfile(
  profile: ProvisioningProfile,
  app: { readonly bundleId: string; readonly udid: string | undefined; readonly nowMs: number },
): Environment {
  const { udid } = app
  if (profile.expiresAtMs <= app.nowMs)
    throw new DeviceError(
      'PROFILE_EXPIRED',
      `The provisioning profile ${profile.name || profile.uuid} expired on ${dateOf(profile.expiresAtMs)}.`,
      'Make a new one with `carillon portal profile create`.',
    )
  if (!covers(profile.bundleId, app.bundleId))
    throw new DeviceError(
      'PROFILE_OTHER_APP',
      `The provisioning profile is for ${profile.bundleId}, not for ${app.bundleId}.`,
      'Use the profile of this app, or the bundle id of the profile.',
    )
  if (udid === undefined) deviceNamedBy(profile)
  else if (profile.devices && !profile.devices.some((one) => one.toLowerCase() === udid.toLowerCase()))
    throw new DeviceError(
      'PROFILE_OTHER_DEVICE',
      `The provisioning profile does not name this device (${udid}).`,
      'Make one that does: `carillon portal profile create --device …`.',
    )
  if (!profile.environment)
    throw new DeviceError(
      'PROFILE_WITHOUT_PUSH',
      'The provisioning profile has no aps-environment: its App ID has no push.',
      'Register the App ID with push and make the profile again.',
    )
  return profile.environment
}

/**
 * The one device that this profile can mean, where the device does not know yet which one it is; undefined where
 * the profile is for all.
 *
 * @throws DeviceError `DEVICE_AMBIGUOUS`
 */
export function deviceNamedBy(profile: ProvisioningProfile): string | undefined {
  if (!profile.devices) return undefined
  if (profile.devices.length === 1) return profile.devices[0]
  throw new DeviceError(
    'DEVICE_AMBIGUOUS',
    `The provisioning profile names ${profile.devices.length} devices, and this one is new.`,
    'Say which one it is with --device, or make a profile for one device.',
  )
}

function covers(appId: string, bundleId: string): boolean {
  return appId.endsWith('*') ? bundleId.startsWith(appId.slice(0, -1)) : appId === bundleId
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}
