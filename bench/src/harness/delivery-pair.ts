import { join } from 'node:path'
import type { PushOrder, PushRun } from '../clients/push-load.ts'
import { type Child, core, ours } from './child.ts'
import { startMosquitto } from './mosquitto.ts'
import { checkOpenFiles } from './open-files.ts'
import { startBenchService } from './push-service.ts'
import type { Sample } from './scenario.ts'

/** A service and, in another process, a sender and the devices connected to it. */
export interface DeliverySide {
  readonly name: string
  readonly service: Child
  readonly load: Child
}

export interface DeliveryPair {
  readonly own: DeliverySide
  /** Undefined where it is not installed. */
  readonly peer: DeliverySide | undefined
  stop(): Promise<void>
}

/** A measurement of one side, with the service's CPU. */
export type DeliverySample = Sample & PushRun

export const deviceCount = 500

/** Starts our service and mosquitto, each with so many devices connected. */
export async function startDeliveryPair(folder: string): Promise<DeliveryPair> {
  checkOpenFiles(deviceCount)
  const own = await startOwn(join(folder, 'courier'))
  const peer = await startPeer(folder)
  return {
    own,
    peer,
    async stop() {
      for (const { load, service } of peer === undefined ? [own] : [own, peer]) {
        await load.stop()
        await service.stop()
      }
    },
  }
}

/** Makes one measurement; everything must arrive. */
export async function measureDelivery(side: DeliverySide, order: PushOrder): Promise<DeliverySample> {
  const cpuBefore = side.service.cpuSeconds()
  side.load.send(order)
  const run = (await side.load.next('ran')) as unknown as PushRun
  const cpu = side.service.cpuSeconds() - cpuBefore
  if (run.accepted < run.pushes || run.received < run.pushes) {
    throw new Error(
      `${side.name}: of ${run.pushes} pushes ${run.accepted} were accepted and ${run.received} received.`,
    )
  }
  return { ...run, perSecond: run.pushes / run.seconds, cpuPer100k: (cpu / run.pushes) * 100_000 }
}

async function startOwn(folder: string): Promise<DeliverySide> {
  const service = await startBenchService({ folder, devices: deviceCount })
  const load = ours(
    core.load,
    'clients/courier-pushes.ts',
    ...['--devices-file', service.files.devices],
    ...['--material', service.writeMaterial('client'), '--port', service.port],
  )
  await load.next('registered')
  return { name: 'Carillon', service: service.child, load }
}

async function startPeer(folder: string): Promise<DeliverySide | undefined> {
  const broker = await startMosquitto(folder)
  if (broker === undefined) return undefined
  const load = ours(core.load, 'clients/mqtt-pushes.ts', '--port', broker.port, '--devices', deviceCount)
  await load.next('registered')
  return { name: 'mosquitto', service: broker.child, load }
}
