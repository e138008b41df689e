import { parseArgs } from 'node:util'
import { LoadDevice, LoadFleet } from './load-device.ts'
import { serveIdle } from './serve-idle.ts'

/**
 * Idle devices of one courier, see `serve-idle.ts`.
 *
 *     node bench/src/clients/courier-idle.ts --devices-file DIR/devices.json
 */
const { values } = parseArgs({ options: { 'devices-file': { type: 'string' } } })
if (values['devices-file'] === undefined) throw new Error('--devices-file FILE says which devices to play')
const fleet = new LoadFleet(values['devices-file'])

await serveIdle(fleet.size, async (index) => {
  const device = await LoadDevice.open(fleet, index)
  return () => device.end()
})
