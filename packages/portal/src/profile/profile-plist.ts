import { build } from 'plist'
import type { App, Profile, ProfileKind, Team } from '../operations.ts'

/** What the kind of a profile decides (Apple TN3125 and the profiles that Apple's portal makes). */
export const profileTraits = {
  development: { devices: 'listed', debuggable: true, environment: 'development', beta: false },
  adhoc: { devices: 'listed', debuggable: false, environment: 'production', beta: false },
  appstore: { devices: 'none', debuggable: false, environment: 'production', beta: true },
  inhouse: { devices: 'all', debuggable: false, environment: 'production', beta: false },
} as const satisfies Record<
  ProfileKind,
  {
    devices: 'listed' | 'none' | 'all'
    debuggable: boolean
    /** The `aps-environment` entitlement: `development` is the sandbox. */
    environment: 'development' | 'production'
    /** Only App Store profiles allow TestFlight. */
    beta: boolean
  }
>

export interface ProfilePlistContents {
  readonly profile: Profile
  readonly app: App
  readonly team: Team
  /** For the kinds that list devices. */
  readonly udids: readonly string[]
}

/**
 * The property list of a provisioning profile, XML. `DeveloperCertificates` is empty: our devices run apps
 * without code signatures, so there is no certificate to allow. `DER-Encoded-Profile` is not written.
 */
export function encodeProfilePlist({ profile, app, team, udids }: ProfilePlistContents): string {
  const traits = profileTraits[profile.kind]
  return build({
    AppIDName: app.name,
    ApplicationIdentifierPrefix: [team.teamId],
    CreationDate: new Date(profile.createdAt),
    DeveloperCertificates: [],
    Entitlements: {
      'application-identifier': app.appId,
      ...(app.push ? { 'aps-environment': traits.environment } : {}),
      ...(traits.beta ? { 'beta-reports-active': true } : {}),
      'com.apple.developer.team-identifier': team.teamId,
      'get-task-allow': traits.debuggable,
      'keychain-access-groups': [`${team.teamId}.*`],
    },
    ExpirationDate: new Date(profile.expiresAt),
    IsXcodeManaged: false,
    Name: profile.name,
    Platform: ['iOS'],
    ...(traits.devices === 'listed' ? { ProvisionedDevices: [...udids] } : {}),
    ...(traits.devices === 'all' ? { ProvisionsAllDevices: true } : {}),
    TeamIdentifier: [team.teamId],
    TeamName: team.name,
    TimeToLive: Math.floor((profile.expiresAt - profile.createdAt) / 86_400_000),
    UUID: profile.uuid,
    Version: 1,
  })
}
