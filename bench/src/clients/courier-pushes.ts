import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { PushClient } from '@carillon/apns'
import { encodeDeviceToken } from '@carillon/wire'
import { dialAll } from './dial-all.ts'
import { LoadDevice, LoadFleet } from './load-device.ts'
import { servePushOrders } from './push-load.ts'
import type { Material } from './run.ts'

/**
 * A provider and many devices of one push service in one process, see `push-load.ts`.
 *
 *     node bench/src/clients/courier-pushes.ts --devices-file DIR/devices.json --material FILE --port PORT
 *
 * `--devices N` plays only the first of them.
 */
const { values } = parseArgs({
  options: {
    'devices-file': { type: 'string' },
    devices: { type: 'string' },
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
  const count = values.devices === undefined ? fleet.size : Number(values.devices)
  const devices = await dialAll(count, (index) => LoadDevice.open(fleet, index, received))
  const tokens = devices.map(({ token }) => encodeDeviceToken(token))
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
