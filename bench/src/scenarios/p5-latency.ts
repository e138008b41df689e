import {
  type DeliverySample,
  deviceCount,
  measureDelivery,
  startDeliveryPair,
} from '../harness/delivery-pair.ts'
import { interleaved, median, type Row, type Scenario } from '../harness/scenario.ts'

const perSecond = 2000
const setting = `${deviceCount} devices, ${perSecond} a second`

/** From `send` to the device at a steady rate, fsync on; one process holds both ends, so one clock tells. */
export const latency: Scenario = {
  id: 'P5',
  title: 'Latency to the device',
  async run({ folder, runs, seconds, raw }) {
    const pair = await startDeliveryPair(folder)
    const sides = pair.peer === undefined ? [pair.own] : [pair.own, pair.peer]
    for (const side of sides) await measureDelivery(side, { perSecond, seconds })
    const samples = await interleaved(runs, sides, async (side) => {
      const sample = await measureDelivery(side, { perSecond, seconds })
      raw({ scenario: 'P5', setting, service: side.name, ...sample })
      return sample
    })
    await pair.stop()
    return (['msP50', 'msP99', 'cpuPer100k'] as const).map((figure) =>
      rowOf(figure, samples.get(pair.own)!, pair.peer && samples.get(pair.peer)),
    )
  },
}

const measures = {
  msP50: 'ms from send to device, p50',
  msP99: 'ms from send to device, p99',
  cpuPer100k: 'CPU s per 100,000 messages',
} as const

function rowOf(
  figure: keyof typeof measures,
  ours: readonly DeliverySample[],
  theirs: readonly DeliverySample[] | undefined,
): Row {
  const of = (samples: readonly DeliverySample[]) => median(samples.map((sample) => sample[figure]))
  return {
    setting,
    measure: measures[figure],
    isMoreBetter: false,
    ours: of(ours),
    peer: 'mosquitto, QoS 1',
    theirs: theirs && of(theirs),
  }
}
