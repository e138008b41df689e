import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { PushClient } from '@carillon/apns'
import { encodeDeviceToken } from '@carillon/wire'
import { dialAll, LoadDevice, LoadFleet } from './load-device.ts'
import { servePushOrders } from './push-load.ts'
import type { Material } from './run.ts'

/**
 * A provider and many devices of one push service in one process, see `push-load.ts`.
 *
 *     node bench/src/clients/courier-pushes.ts --devices-file DIR/devices.json --material FILE --port PORT
 */
const { values } = parseArgs({
  options: {
    'devices-file': { type: 'string' },
    material: { type: 'string' },
    port: { type: 'string' },
  },
})
const { 'devices-file': devicesFile, material: materialFile, port } = values
if (devicesFile === undefined || materialFile === undefined || port === undefined) {
  throw new Error('give --devices-file, --material and --port')
}

await servePushOrders(async (received) => {
  const fleet = new LoadFleet(devicesFile)
  const tokens: string[] = []
  await dialAll(
    fleet.size,
    16,
    (index) =>
      new Promise((resolve, reject) => {
        new LoadDevice(fleet, index, {
          onToken(token) {
            tokens[index] = encodeDeviceToken(token)
            resolve()
          },
          onNotification: ({ payload }) => received(payload),
          onLost: () => reject(new Error(`The service ended the connection of device ${index}.`)),
        })
      }),
  )
  const material: Material = JSON.parse(readFileSync(materialFile, 'utf8'))
  const { topic, ca } = material
  const client = new PushClient({
    auth: { type: 'token', ...material },
    environment: 'production',
    host: 'localhost',
    port: Number(port),
    ca,
    limits: { connectionsMax: 1 },
  })
  const expiration = Math.floor(Date.now() / 1000) + 86_400
  return {
    devices: tokens.length,
    async push(device, payload) {
      const deviceToken = tokens[device]!
      const result = await client.send({ deviceToken, topic, pushType: 'alert', expiration, payload })
      return result.ok
    },
    close: () => client.close(),
  }
})
