import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { type ClientApp, DeviceError, type DeviceEvent, startDevice } from '@carillon/device'
import { readEndpoints } from '@carillon/system'
import { bannerLines } from '../banner.ts'
import { CliError } from '../cli-error.ts'
import { command, group } from '../command.ts'
import { readNamedFile } from '../files.ts'
import { type Output, reportFailure } from '../output.ts'
import { activationAt, endpointsOf, withPortal } from '../running-system.ts'
import { untilStopped } from '../until-stopped.ts'

interface RunOptions {
  data: string
  state: string
  profile: string
  app: string
  device?: string
}

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
      const app = await device.install({ bundleId: options.app, profile })
      // Asked to end while it waits for its token, it ends.
      await Promise.race([stopped, registered(app, output).then(() => stopped)])
    } finally {
      await device.close()
    }
  },
)
  .requiredOption('--data <dir>', 'data directory of the running system')
  .requiredOption('--state <dir>', 'directory of this device; made on first use')
  .requiredOption('--profile <file>', 'provisioning profile of the app')
  .requiredOption('--app <bundle-id>', 'the app')
  .option('--device <id>', 'which registered device this is, where the profile names several')

/** A device whose push service is away goes on asking: that is what a daemon is for. */
async function registered(app: ClientApp, output: Output): Promise<void> {
  for (;;) {
    try {
      await app.register()
      return
    } catch (error) {
      if (!(error instanceof DeviceError && error.code === 'REGISTRATION_UNANSWERED')) throw error
      reportFailure(error, output.json)
    }
  }
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
        `device token of ${event.bundleId} (${event.environment}):\n${event.deviceToken}`,
      )
    case 'notification':
      return output.result(event, bannerLines(event.bundleId, event.shown).join('\n'))
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
