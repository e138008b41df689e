import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { type ClientApp, type DeviceEvent, type DevicePower, startDevice } from '@carillon/device'
import { readEndpoints } from '@carillon/system/directory'
import type { PushType } from '@carillon/wire'
import { bannerLines } from './banner.ts'
import { broadcastLines } from './broadcast-lines.ts'
import { CliError } from './cli-error.ts'
import type { RunOptions } from './commands/device.ts'
import { readNamedFile } from './files.ts'
import { type Output, reportFailure } from './output.ts'
import { activationAt, withPortal } from './portal-access.ts'
import { endpointsOf } from './running-system.ts'
import { untilAnswered } from './until-answered.ts'
import { untilStopped } from './until-stopped.ts'

/** Runs a device with one app on it until the process is asked to end. */
export async function runDevice(options: RunOptions, output: Output): Promise<void> {
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
}

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
