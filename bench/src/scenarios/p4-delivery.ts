import { deviceCount, measureDelivery, startDeliveryPair } from '../harness/delivery-pair.ts'
import { interleaved, type Row, rowsOf, type Scenario } from '../harness/scenario.ts'

const loads = [
  { setting: `${deviceCount} devices, 1000 on their way`, order: { inFlight: 1000 } },
  { setting: `${deviceCount} devices, 100 on their way`, order: { inFlight: 100 } },
] as const

/** From the provider to connected devices, each message acknowledged, the store on; beside MQTT without a store. */
export const delivery: Scenario = {
  id: 'P4',
  title: 'Provider to device',
  async run({ folder, runs, seconds, raw }) {
    const pair = await startDeliveryPair(folder)
    const sides = pair.peer === undefined ? [pair.own] : [pair.own, pair.peer]
    for (const side of sides) await measureDelivery(side, { inFlight: 1000, seconds })
    const rows: Row[] = []
    for (const { setting, order } of loads) {
      const samples = await interleaved(runs, sides, async (side) => {
        const sample = await measureDelivery(side, { ...order, seconds })
        raw({ scenario: 'P4', setting, service: side.name, ...sample })
        return sample
      })
      const theirs = pair.peer && samples.get(pair.peer)
      rows.push(...rowsOf(setting, 'messages', samples.get(pair.own)!, 'mosquitto, QoS 1', theirs))
    }
    await pair.stop()
    return rows
  },
}
