import { parseArgs } from 'node:util'
import { dialAll } from './dial-all.ts'
import { MqttConnection } from './mqtt.ts'
import { servePushOrders } from './push-load.ts'

/**
 * A publisher and many subscribers of one MQTT broker in one process, QoS 1 throughout: the peer of
 * `courier-pushes.ts`.
 *
 *     node bench/src/clients/mqtt-pushes.ts --port PORT --devices 500
 */
const { values } = parseArgs({
  options: { port: { type: 'string' }, devices: { type: 'string', default: '500' } },
})
if (values.port === undefined) throw new Error('--port PORT says where the broker is')
const port = Number(values.port)
const devices = Number(values.devices)

await servePushOrders(async (received) => {
  const subscribers = await dialAll(devices, (index) =>
    MqttConnection.open(port, `device-${index}`, `device/${index}`, { onMessage: received }),
  )
  const waiting = new Map<number, (isAccepted: boolean) => void>()
  const publisher = await MqttConnection.open(port, 'publisher', '', {
    onPublished(id) {
      waiting.get(id)?.(true)
      waiting.delete(id)
    },
  })
  return {
    devices,
    push: (device, payload) =>
      new Promise((resolve) => waiting.set(publisher.publish(`device/${device}`, payload), resolve)),
    close() {
      for (const connection of [publisher, ...subscribers]) connection.end()
    },
  }
})
