import { parseArgs } from 'node:util'
import { dialAll } from './dial-all.ts'
import { MqttConnection } from './mqtt.ts'
import { serveBroadcasts } from './serve-broadcasts.ts'

/**
 * A publisher and many subscribers of one topic of an MQTT broker: the peer of `courier-broadcasts.ts`.
 *
 *     node bench/src/clients/mqtt-broadcasts.ts --port PORT --devices 10000 --qos 0
 */
const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    devices: { type: 'string', default: '10000' },
    qos: { type: 'string', default: '1' },
  },
})
if (values.port === undefined) throw new Error('--port PORT says where the broker is')
const port = Number(values.port)
const devices = Number(values.devices)
const qos = values.qos === '0' ? 0 : 1

await serveBroadcasts(async (received) => {
  await dialAll(devices, (index) =>
    MqttConnection.open(port, `device-${index}`, 'everybody', { onMessage: received }, qos),
  )
  const publisher = await MqttConnection.open(port, 'publisher', '', {})
  return { devices, publish: async (payload) => void publisher.publish('everybody', payload) }
})
