import { parseArgs } from 'node:util'
import { MqttConnection } from './mqtt.ts'
import { serveIdle } from './serve-idle.ts'

/**
 * Idle subscribers of one MQTT broker: the peer of `courier-idle.ts`.
 *
 *     node bench/src/clients/mqtt-idle.ts --port PORT --devices 2000
 */
const { values } = parseArgs({
  options: { port: { type: 'string' }, devices: { type: 'string', default: '2000' } },
})
if (values.port === undefined) throw new Error('--port PORT says where the broker is')
const port = Number(values.port)

await serveIdle(Number(values.devices), async (index) => {
  const connection = await MqttConnection.open(port, `device-${index}`, `device/${index}`, {})
  return () => connection.end()
})
