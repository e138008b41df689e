import type { Row } from '@carillon/database'
import { readCertificate } from '@carillon/wire'
import { PortalError } from '../errors.ts'
import { limits } from '../limits.ts'
import {
  type App,
  type Device,
  type IssuedProfile,
  type Profile,
  type ProfileOperations,
  type ProfileRequest,
  profileKinds,
} from '../operations.ts'
import { signCms } from '../pki/cms.ts'
import { privateKeyDer } from '../pki/key.ts'
import { encodeProfilePlist, profileTraits } from '../profile/profile-plist.ts'
import { readPages } from '../store/read-pages.ts'
import { findApp } from './apps.ts'
import { checkName, checkRoom, checkWord, requestInvalid } from './checks.ts'
import type { RegistryContext } from './context.ts'
import { requireDevice } from './devices.ts'
import { makeUuid } from './ids.ts'
import { oneOf } from './memory.ts'

/** Provisioning profiles: which app may run on which devices, and in which push environment. */
export function profileOperations(context: RegistryContext): ProfileOperations {
  const { database } = context
  const insert = database.prepare(
    'INSERT INTO profiles (uuid, name, bundle_id, kind, created_at, expires_at, der) VALUES (?, ?, ?, ?, ?, ?, ?)',
  )
  const listed = 'SELECT uuid, name, bundle_id, kind, created_at, expires_at FROM profiles'
  const byUuid = database.prepare('SELECT * FROM profiles WHERE uuid = ?')

  return {
    async create(request) {
      checkWord(profileKinds, request.kind, 'kind of profile')
      const app = findApp(context, request.bundleId)
      const devices = await devicesOf(context, request)
      checkRoom(context.memory.counts.profiles, limits.profilesMax, 'PROFILE_LIMIT', 'provisioning profiles')
      const profile = await makeProfile(context, request, app, devices)
      const { uuid, name, bundleId, kind, createdAt, expiresAt, der } = profile
      await database.run(insert, [uuid, name, bundleId, kind, createdAt, expiresAt, der])
      context.memory.counts.profiles++
      return profile
    },

    async list() {
      const profiles = (await readPages(database, listed, 'uuid')).map(profileOf)
      return profiles.sort((a, b) => b.createdAt - a.createdAt || (a.uuid < b.uuid ? -1 : 1))
    },

    async get(uuid) {
      const row = await database.get(byUuid, [uuid.toLowerCase()])
      if (row === undefined) throw unknown(uuid)
      return { ...profileOf(row), der: row.der as Uint8Array }
    },
  }
}

/** The devices that a profile names, checked against what its kind allows. */
async function devicesOf(context: RegistryContext, request: ProfileRequest): Promise<Device[]> {
  const { kind, deviceIds = [] } = request
  const listsDevices = profileTraits[kind].devices === 'listed'
  if (listsDevices && deviceIds.length === 0) {
    throw new PortalError(
      'PROFILE_NEEDS_DEVICES',
      `A profile of the kind ${kind} is for named devices, and none was given.`,
      'Name at least one: --device ID (carillon portal device list shows them).',
    )
  }
  if (!listsDevices && deviceIds.length > 0) {
    throw new PortalError(
      'PROFILE_TAKES_NO_DEVICES',
      `A profile of the kind ${kind} is not for single devices.`,
      'Leave the devices out, or use the kind development or adhoc.',
    )
  }
  if (deviceIds.length > limits.devicesPerProfileMax) {
    throw requestInvalid(
      `A profile names at most ${limits.devicesPerProfileMax} devices, not ${deviceIds.length}.`,
      'Make several profiles, or use the kind inhouse.',
    )
  }
  const devices = new Map<string, Device>()
  for (const id of deviceIds) {
    const device = await requireDevice(context, id)
    if (device.status === 'disabled') {
      throw new PortalError(
        'DEVICE_DISABLED',
        `The device ${device.deviceId} was disabled and cannot be in a profile.`,
        'Leave this device out.',
      )
    }
    devices.set(device.udid, device)
  }
  return [...devices.values()]
}

async function makeProfile(
  { authority, team, now, random }: RegistryContext,
  { kind, name }: ProfileRequest,
  app: App,
  devices: readonly Device[],
): Promise<IssuedProfile> {
  const { certificate, key } = authority.profileSigner
  const createdAt = Math.floor(now() / 1000) * 1000
  const signerEnd = readCertificate(certificate).notAfter
  if (signerEnd <= createdAt) throw signerEnded(signerEnd)
  const profile: Profile = {
    uuid: makeUuid(random),
    name: checkName(name ?? `${app.name} ${kind}`, 'profile'),
    bundleId: app.bundleId,
    kind,
    createdAt,
    // A year, as Apple's; less where the signer's certificate ends before.
    expiresAt: Math.min(createdAt + 365 * dayMs, signerEnd),
  }
  const plist = encodeProfilePlist({ profile, app, team, udids: devices.map(({ udid }) => udid) })
  const signer = {
    certificate,
    privateKey: privateKeyDer(key),
    chain: [authority.issuing.certificate, authority.rootDer],
  }
  return { ...profile, der: await signCms(Buffer.from(plist, 'utf8'), signer, now()) }
}

const dayMs = 86_400_000

function profileOf(row: Row): Profile {
  return {
    uuid: String(row.uuid),
    name: String(row.name),
    bundleId: String(row.bundle_id),
    kind: oneOf(profileKinds, row.kind, 'profiles.kind'),
    createdAt: Number(row.created_at),
    expiresAt: Number(row.expires_at),
  }
}

function signerEnded(at: number): PortalError {
  return new PortalError(
    'CA_BROKEN',
    `The certificate that signs provisioning profiles ended at ${new Date(at).toISOString()}.`,
    'Remove ca/profile-signer.key.pem and ca/profile-signer.cert.pem from the data directory and start again: the portal makes new ones. Or check the clock of this machine.',
  )
}

function unknown(uuid: string): PortalError {
  return new PortalError(
    'PROFILE_UNKNOWN',
    `This portal has no provisioning profile "${uuid}".`,
    'List them: carillon portal profile list',
  )
}
