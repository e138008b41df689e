import { readFile } from 'node:fs/promises'
import { startDevice } from '@carillon/device'
import { startSystem } from '@carillon/system'
import { bannerLines } from '../banner.ts'
import { activationAt } from '../portal-access.ts'
import { bundleId, environment, type StoryContext } from './context.ts'
import { ProviderClient } from './provider-client.ts'
import { sendAndFollow } from './send.ts'
import type { Step } from './step.ts'
import { random } from './story-files.ts'

/** From starting the system to the first banner. */
export const deliverySteps: readonly Step<StoryContext>[] = [
  {
    party: 'service',
    title: 'sandbox and production push service, portal and provider accept connections',
    async run(context) {
      await context.closePortal()
      context.system = await startSystem({
        dataDir: context.dataDir,
        ...(context.ports === undefined ? {} : { ports: context.ports }),
      })
      const { environments, portal, provider } = context.system.endpoints
      const lines = Object.entries(environments).map(
        ([name, { http2, courier }]) =>
          `${name}: HTTP/2 ${http2.host}:${http2.port}, courier ${courier.host}:${courier.port}`,
      )
      return { detail: [...lines, `portal ${portal.url}, provider ${provider.url}`].join('\n') }
    },
  },
  {
    party: 'provider',
    title: 'learns the app and its auth key',
    async run(context) {
      const { endpoints } = context.system
      const { host, port } = endpoints.environments[environment].http2
      context.provider = await ProviderClient.of(endpoints)
      const { keyId, teamId, privateKeyPem } = context.key
      await context.provider.call('POST', '/v1/apps', {
        bundleId,
        environments: {
          [environment]: {
            credentials: { type: 'token', keyId, teamId, privateKeyPem },
            connect: 'local',
          },
        },
      })
      return { detail: `${bundleId} sends to ${host}:${port} with key ${keyId}` }
    },
  },
  {
    party: 'device',
    title: 'checks the profile, activates itself, connects to the courier',
    async run(context) {
      const { endpoints } = context.system
      context.device = await startDevice({
        stateDir: context.files.phone,
        caPem: await readFile(endpoints.caFile, 'utf8'),
        couriers: { [environment]: endpoints.environments[environment].courier },
        activate: activationAt(endpoints),
        now: Date.now,
        random,
        onEvent: context.log.record,
      })
      context.app = await context.device.install({ bundleId, profile: await readFile(context.files.profile) })
      await context.log.waitFor('connected', 'connect to its courier')
      const { host, port } = endpoints.environments[environment].courier
      return { detail: `udid ${context.device.udid}, connected to ${host}:${port} over TLS` }
    },
  },
  {
    party: 'app',
    title: 'registers and gets its device token',
    async run(context) {
      context.deviceToken = await context.app.register()
      return { detail: context.deviceToken }
    },
  },
  {
    party: 'app',
    title: 'hands the token to its provider',
    async run({ provider, deviceToken }) {
      const path = `/v1/devices/${deviceToken}`
      await provider.call('PUT', path, { bundleId, environment })
      const device = await provider.call<{ environment: string; lastRegisteredAt: string }>('GET', path)
      return {
        detail: `the provider keeps it for the ${device.environment}, registered ${device.lastRegisteredAt}`,
      }
    },
  },
  {
    party: 'provider',
    title: 'sends the first push',
    async run(context) {
      const from = context.log.position
      const sent = await sendAndFollow(context, {
        title: 'Hello from your own push service',
        subtitle: 'provider → push service → device → app',
        body: 'This came over real TLS, with certificates of your own portal.',
      })
      const shown = await context.log.waitFor(
        'notification',
        'show the notification',
        from,
        (event) => event.apnsId === sent.apnsId,
      )
      return {
        detail: `message ${sent.id}\nthe service accepted it as ${sent.apnsId}; the device shows:`,
        picture: bannerLines(bundleId, shown.shown),
      }
    },
  },
]
