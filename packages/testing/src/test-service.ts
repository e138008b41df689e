import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { nodeRuntime, PushClient, type PushClientOptions } from '@carillon/apns'
import { createSigningRequest, type DeviceEvent, startDevice } from '@carillon/device'
import type { FaultControl, FaultPlanInput } from '@carillon/service'
import { type Endpoints, type RunningSystem, type ServiceSettings, startSystem } from '@carillon/system'
import { after, machineNow, random, throwAwayDirectory } from './drivers/world.ts'
import { Happenings } from './happenings.ts'
import { TestClock } from './test-clock.ts'
import { TestDevice } from './test-device.ts'

export interface TestServiceOptions {
  /** `com.example.app` where absent. */
  readonly bundleId?: string
  /** `sandbox` where absent. The other one runs as well: see `endpoints`. */
  readonly environment?: 'sandbox' | 'production'
  /** How many notifications wait for a phone that is away: 1 as with Apple where absent. */
  readonly inboxMax?: number
  /** Whether the app may have broadcast channels; false where absent. */
  readonly broadcast?: boolean
  /** Trouble from the start; `faults` changes it at any time. */
  readonly faults?: FaultPlanInput
  /** Options of the push service, such as `fidelity` and `power`. */
  readonly pushService?: ServiceSettings
  /** Where the system keeps its files. A throw-away directory where absent. */
  readonly dataDir?: string
}

/** An auth key, in the form of `PushClientOptions.auth` and of what other clients ask for. */
export interface TestKey {
  readonly keyId: string
  readonly teamId: string
  /** The `.p8`: PKCS#8, PEM. */
  readonly privateKey: string
}

/** A whole push system in this process, made for one app with one phone. */
export interface TestService extends AsyncDisposable {
  /** Ready to send to the app: `client.send({ deviceToken: device.deviceToken, payload })`. */
  readonly client: PushClient
  /** The first phone: connected, the app on it registered. */
  readonly device: TestDevice
  readonly bundleId: string
  /** Of the provider API, such as `https://127.0.0.1:41234`. */
  readonly url: string
  readonly host: string
  readonly port: number
  /** The root certificate that the service's certificates lead to, PEM. */
  readonly ca: string
  readonly key: TestKey
  readonly faults: FaultControl
  /** The clock of all parties. */
  readonly clock: TestClock
  /** Where everything else is: binary gateway, feedback, channel management, admin API, the other environment. */
  readonly endpoints: Endpoints
  /** What a child process needs in its environment for `--import @carillon/testing/redirect`. */
  readonly redirectEnv: Readonly<Record<'CARILLON_DATA', string>>
  /** A push certificate of the app for this environment, PEM. */
  createCertificate(): Promise<{ certPem: string; keyPem: string }>
  /** Another client, with options of your own: `createClient({ auth: { type: 'certificate', … } })`. */
  createClient(options?: Partial<PushClientOptions>): PushClient
  /** Another phone with the app on it. */
  addDevice(): Promise<TestDevice>
  /** Ends everything, newest first; a throw-away directory is removed. May be called again. */
  close(): Promise<void>
}

/**
 * Starts portal, push service and provider in this process, makes an app, a key and a phone, and connects them all
 * over real TLS on ports that the system chooses.
 */
export async function startTestService(options: TestServiceOptions = {}): Promise<TestService> {
  const { bundleId = 'com.example.app', environment = 'sandbox' } = options
  /** How to end what was started, newest first. */
  const endings: (() => Promise<void>)[] = []
  let closing: Promise<void> | undefined
  const endAll = async (): Promise<void> => {
    for (let end = endings.pop(); end !== undefined; end = endings.pop()) await end()
  }
  const close = (): Promise<void> => {
    closing ??= endAll()
    return closing
  }
  try {
    const clock = new TestClock(machineNow)
    const dataDir = options.dataDir ?? (await throwAway(endings))
    const system = await startSystem({
      dataDir,
      ports: 'auto',
      now: clock.now,
      pushService: { ...options.pushService, ...(options.faults ? { faults: options.faults } : {}) },
    })
    endings.push(() => system.close())
    const { portal, endpoints } = system
    const { inboxMax, broadcast } = options
    await portal.apps.create({
      bundleId,
      name: 'Example',
      ...(inboxMax === undefined ? {} : { inboxMax }),
      ...(broadcast === undefined ? {} : { broadcast }),
    })
    const made = await portal.keys.create({ name: 'Tests' })
    const key: TestKey = { keyId: made.keyId, teamId: made.teamId, privateKey: made.privateKeyPem }
    const ca = portal.ca.rootPem
    const { host, port } = endpoints.environments[environment].http2
    const createClient = (given: Partial<PushClientOptions> = {}): PushClient => {
      const address = { environment, host, port, ca, channels: { host, port } }
      const client = new PushClient(
        { auth: { type: 'token', ...key }, ...address, ...given },
        { ...nodeRuntime, now: clock.now },
      )
      endings.push(() => client.close())
      return client
    }
    let devices = 0
    const addDevice = () =>
      connectDevice({ system, dataDir, bundleId, environment, clock, endings }, ++devices)
    const device = await addDevice()
    return {
      ...{ client: createClient(), device, bundleId, host, port, ca, key, clock, endpoints, close },
      url: `https://${host}:${port}`,
      faults: system.faults[environment],
      redirectEnv: { CARILLON_DATA: dataDir },
      createClient,
      addDevice,
      async createCertificate() {
        const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
        const csrPem = await createSigningRequest(privateKey, 'Tests')
        const { certPem, chainPem } = await portal.certificates.create({
          bundleId,
          kind: environment,
          csrPem,
        })
        const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
        return { certPem: `${certPem.trimEnd()}\n${chainPem}`, keyPem }
      },
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function throwAway(endings: (() => Promise<void>)[]): Promise<string> {
  const { path, remove } = await throwAwayDirectory()
  endings.push(remove)
  return path
}

/** What a phone is made of. */
interface PhonePlace {
  readonly system: RunningSystem
  readonly dataDir: string
  readonly bundleId: string
  readonly environment: 'sandbox' | 'production'
  readonly clock: TestClock
  readonly endings: (() => Promise<void>)[]
}

/** Registers a phone with the team, installs the app by a profile for it, and waits for its token. */
async function connectDevice(place: PhonePlace, number: number): Promise<TestDevice> {
  const { system, bundleId, environment, clock } = place
  const { portal, endpoints } = system
  const { deviceId, udid } = await portal.devices.add({ name: `Phone ${number}` })
  const profile = await portal.profiles.create({
    bundleId,
    kind: environment === 'sandbox' ? 'development' : 'adhoc',
    deviceIds: [deviceId],
  })
  const happenings = new Happenings<DeviceEvent>(after)
  const { sandbox, production } = endpoints.environments
  const device = await startDevice({
    stateDir: join(place.dataDir, 'phones', String(number)),
    caPem: portal.ca.rootPem,
    couriers: { sandbox: sandbox.courier, production: production.courier },
    activate: ({ csrPem }) => portal.devices.activate({ csrPem, udid }),
    udid,
    now: clock.now,
    random,
    onEvent: (event) => happenings.add(event),
  })
  place.endings.push(() => device.close())
  const app = await device.install({ bundleId, profile: profile.der })
  return new TestDevice(device, app, await app.register(), happenings)
}
