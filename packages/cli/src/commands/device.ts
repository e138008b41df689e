import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { type ClientApp, type DeviceEvent, type DevicePower, startDevice } from '@carillon/device'
import { readEndpoints } from '@carillon/system'
import { type PushType, pushTypeTable } from '@carillon/wire'
import { Option } from 'commander'
import { bannerLines } from '../banner.ts'
import { broadcastLines } from '../broadcast-lines.ts'
import { CliError } from '../cli-error.ts'
import { collect, command, group } from '../command.ts'
import { readNamedFile } from '../files.ts'
import { type Output, reportFailure } from '../output.ts'
import { activationAt, endpointsOf, withPortal } from '../running-system.ts'
import { untilAnswered } from '../until-answered.ts'
import { untilStopped } from '../until-stopped.ts'

/** The others come to the app's own topic. */
const suffixedPushTypes = pushTypeTable.filter(({ suffix }) => suffix !== '').map(({ value }) => value)

interface RunOptions {
  data: string
  state: string
  profile: string
  app: string
  device?: string
  pushType: PushType[]
  channel?: string[]
  power?: Power
  screen?: Screen
  opens?: true
}

const powers = ['battery', 'plugged', 'low'] as const
type Power = (typeof powers)[number]
const screens = ['on', 'off'] as const
type Screen = (typeof screens)[number]

const run = command<RunOptions>(
  'run',
  'Run a device with one app on it, until SIGTERM: connects, registers, shows notifications.',
  'carillon device run --data ./data --state ./phone --profile app.mobileprovision --app com.example.app',
  async (options, output) => {
    const stopped = untilStopped()
    const profile = await readNamedFile('--profile', options.profile)
    let endpoints = await endpointsOf(options.data)
    const device = await startDevice({
      stateDir: options.state,
      caPem: await readFile(endpoints.caFile, 'utf8'),
      // Read at every dial: a system that was started anew may listen on other ports.
      couriers: {
        get sandbox() {
          return endpoints.environments.sandbox.courier
        },
        get production() {
          return endpoints.environments.production.courier
        },
      },
      activate: activationAt(endpoints),
      ...(options.device ? { udid: await udidOf(options.data, options.device) } : {}),
      now: Date.now,
      random: (bytes) => new Uint8Array(randomBytes(bytes)),
      onEvent: (event) => {
        printEvent(event, output)
        if (event.event !== 'disconnected') return
        readEndpoints(options.data).then(
          (found) => {
            endpoints = found ?? endpoints
          },
          () => undefined, // damaged while the system is away: the next one is written whole
        )
      },
    })
    try {
      if (options.power !== undefined || options.screen !== undefined) device.setPower(powerOf(options))
      const app = await device.install({ bundleId: options.app, profile })
      if (options.opens) openAll(app)
      // Asked to end while it waits for its token, it ends.
      const registration = untilAnswered(
        'REGISTRATION_UNANSWERED',
        () => registered(app, options.pushType),
        output,
      )
      const channels = (options.channel ?? []).map((id) =>
        untilAnswered('CHANNEL_UNANSWERED', () => app.channels.subscribe(id), output),
      )
      await Promise.race([stopped, Promise.all([registration, ...channels]).then(() => stopped)])
    } finally {
      await device.close()
    }
  },
)
  .requiredOption('--data <dir>', 'data directory of the running system')
  .requiredOption('--state <dir>', 'directory of this device; made on first use')
  .requiredOption('--profile <file>', 'provisioning profile of the app')
  .requiredOption('--app <bundle-id>', 'the app')
  .addOption(
    new Option('--push-type <types...>', 'also take pushes of these types, whose topics have a suffix')
      .choices(suffixedPushTypes)
      .default([], 'none'),
  )
  .option('--device <id>', 'which registered device this is, where the profile names several')
  .option(
    '--channel <id>',
    'a broadcast channel that the app listens to; may be given several times',
    collect,
  )
  .addOption(
    new Option(
      '--power <how>',
      'how the device is fed, so that the push service holds back what can wait; without this and --screen it holds nothing',
    ).choices(powers),
  )
  .option('--opens', 'the user opens the app by every notification that is shown')
  .addOption(new Option('--screen <on|off>', 'whether somebody looks at it').choices(screens))

/** The user taps each banner and leaves the app again. */
function openAll(app: ClientApp): void {
  app.onNotification((notification) => {
    const { kind } = notification.shown
    if (kind !== 'banner' && kind !== 'list') return
    // Nobody taps a banner before it is there.
    setImmediate(() => {
      app.open(notification)
      app.state = 'background'
    })
  })
}

/** What is not said is as on a desk: plugged in, with the screen off. */
function powerOf({ power = 'plugged', screen = 'off' }: RunOptions): DevicePower {
  return { plugged: power === 'plugged', lowPower: power === 'low', screenOn: screen === 'on' }
}

async function registered(app: ClientApp, pushTypes: readonly PushType[]): Promise<void> {
  await app.register()
  for (const pushType of pushTypes) await app.register({ pushType })
}

function udidOf(dataDir: string, device: string): Promise<string> {
  return withPortal(dataDir, async (portal) => (await portal.devices.get(device)).udid)
}

function printEvent(event: DeviceEvent, output: Output): void {
  switch (event.event) {
    case 'connected':
      return output.result(event, `connected to the ${event.environment} courier`)
    case 'disconnected':
      return output.result(event, `disconnected: ${event.reason}`)
    case 'registered':
      return output.result(
        event,
        `device token of ${event.topic ?? event.bundleId} (${event.environment}):\n${event.deviceToken}`,
      )
    case 'notification':
      return output.result(event, bannerLines(event.bundleId, event.shown).join('\n'))
    case 'subscribed':
      return output.result(event, `${event.bundleId} listens to the channel ${event.channelId}`)
    case 'channelGone':
      return output.result(event, `the channel ${event.channelId} of ${event.bundleId} does not exist`)
    case 'broadcast':
      return output.result(event, broadcastLines(event))
    case 'failed':
      return void reportFailure(new CliError(event.code, event.message, ''), output.json)
    case 'storageEmpty':
      return
  }
}

export const deviceCommand = group(
  'device',
  'devices and their apps',
  'carillon device run --data ./data --state ./phone --profile app.mobileprovision --app com.example.app',
  [run],
)
