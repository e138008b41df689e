import { readFile } from 'node:fs/promises'
import type { Address } from '@carillon/system'
import type { Environment } from '@carillon/wire'
import type { JsonLine, Place, Run, RunningUp } from './run-carillon.ts'

export const bundleId = 'com.example.app'

/** A running system with one app on one device, set up by the commands that a team would type. */
export interface RunningApp {
  readonly up: RunningUp
  readonly environment: Environment
  /** Where providers connect. */
  readonly gateway: Address
  readonly caFile: string
  readonly key: {
    readonly keyId: string
    readonly teamId: string
    readonly file: string
    readonly pem: string
  }
  /** The options by which `carillon push` and others sign with that key. */
  readonly auth: readonly string[]
  readonly device: Run
  readonly deviceToken: string
  readonly profile: string
  /** `carillon push` to the app on its device, with these options; where they name one twice, theirs count. */
  pushCommand(...what: string[]): string[]
  /** Runs it; gives the line that it prints. */
  push(...what: string[]): Promise<JsonLine>
  /** Resolves when the device shows a notification for which `test` holds. */
  shown(test: (payload: JsonLine) => boolean): Promise<JsonLine>
}

export async function startApp(
  place: Place,
  environment: Environment = 'sandbox',
  appOptions: readonly string[] = [],
  deviceOptions: readonly string[] = [],
): Promise<RunningApp> {
  const up = await place.up()
  const on = ['--data', place.data]
  await place.line(
    'portal',
    'app',
    'create',
    ...on,
    '--bundle-id',
    bundleId,
    '--name',
    'Example',
    ...appOptions,
  )
  const [key, phone] = await Promise.all([
    place.line('portal', 'key', 'create', ...on, '--name', 'Back end', '--out', place.path('keys')),
    place.line('portal', 'device', 'add', ...on, '--name', 'Phone'),
  ])
  const profile = place.path('app.mobileprovision')
  const kind = environment === 'sandbox' ? 'development' : 'adhoc'
  const of = ['--bundle-id', bundleId, '--kind', kind, '--device', phone.deviceId, '--out', profile]
  await place.line('portal', 'profile', 'create', ...on, ...of)
  const device = startDevice(place, profile, undefined, deviceOptions)
  const { deviceToken } = await device.event('registered')
  const auth = ['--key', key.file, '--key-id', key.keyId, '--team-id', key.teamId]
  const pushCommand = (...what: string[]) => {
    const to = [...on, '--environment', environment, '--topic', bundleId, '--token', deviceToken]
    return ['push', ...to, ...auth, ...what]
  }
  return {
    up,
    environment,
    gateway: up.endpoints.environments[environment].http2,
    caFile: up.endpoints.caFile,
    key: { keyId: key.keyId, teamId: key.teamId, file: key.file, pem: await readFile(key.file, 'utf8') },
    auth,
    device,
    deviceToken,
    profile,
    pushCommand,
    push: (...what) => place.line(...pushCommand(...what)),
    shown: (test) => device.event('notification', ({ payload }) => test(payload)),
  }
}

/** `carillon device run --json` with the app on it. */
export function startDevice(
  place: Place,
  profile: string,
  state = place.path('phone'),
  more: readonly string[] = [],
): Run {
  const where = ['--data', place.data, '--state', state]
  return place.startCarillon(
    'device',
    'run',
    ...where,
    '--profile',
    profile,
    '--app',
    bundleId,
    ...more,
    '--json',
  )
}

/** The files of a push certificate for the app, as `carillon portal cert create` writes them. */
export async function pushCertificate(place: Place, kind: string, ...more: string[]) {
  const of = ['--bundle-id', bundleId, '--kind', kind, '--out', place.path(`certs-${kind}-${more.join('')}`)]
  return place.line('portal', 'cert', 'create', '--data', place.data, ...of, ...more)
}
