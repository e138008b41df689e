import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { PushClient } from '@carillon/apns'
import { encodeChannelSubscription } from '@carillon/wire'
import { dialAll } from './dial-all.ts'
import { LoadDevice, LoadFleet } from './load-device.ts'
import type { Material } from './run.ts'
import { serveBroadcasts } from './serve-broadcasts.ts'

/**
 * A provider and many devices that listen to one channel, see `serve-broadcasts.ts`.
 *
 *     node bench/src/clients/courier-broadcasts.ts --devices-file DIR/devices.json --material FILE --port PORT
 */
const { values } = parseArgs({
  options: { 'devices-file': { type: 'string' }, material: { type: 'string' }, port: { type: 'string' } },
})
const { 'devices-file': devicesFile, material: materialFile, port } = values
if (devicesFile === undefined || materialFile === undefined || port === undefined) {
  throw new Error('give --devices-file, --material and --port')
}

await serveBroadcasts(async (received) => {
  const material: Material = JSON.parse(readFileSync(materialFile, 'utf8'))
  const bundleId = material.topic
  const client = new PushClient({
    auth: { type: 'token', ...material },
    environment: 'production',
    host: 'localhost',
    port: Number(port),
    ca: material.ca,
    channels: { host: 'localhost', port: Number(port) },
  })
  const made = await client.channels.create(bundleId, 'none')
  if (!made.ok) throw new Error(`No channel: ${JSON.stringify(made)}`)
  const { channelId } = made
  const mark = { channelId: Buffer.from(channelId, 'base64'), lastMessageNs: 0n }
  const subscription = encodeChannelSubscription({
    topics: [{ topic: bundleId, subscribe: [mark], unsubscribe: [] }],
    replace: true,
  })
  const fleet = new LoadFleet(devicesFile, subscription)
  await dialAll(fleet.size, (index) => LoadDevice.open(fleet, index, received))
  return {
    devices: fleet.size,
    async publish(payload) {
      const result = await client.broadcast({ bundleId, channelId, payload })
      if (!result.ok) throw new Error(`Not published: ${JSON.stringify(result)}`)
    },
  }
})
