import { courierReports, hexText, type MessageOf } from '@carillon/wire'
import type { Registry, TokenRecord } from '../registry/registry.ts'
import type { Trace } from '../trace/trace.ts'

/** A device that reports. */
interface ReportingDevice {
  readonly deviceRow: number
}

/** Counted since the start. */
export interface ReportCounters {
  reports: number
  /** About tokens that are not the device's, or without what names the notification. */
  unusable: number
}

/** Takes what devices say became of notifications, and tells the trace of it. Nothing is answered. */
export class DeviceReports {
  readonly counters: ReportCounters = { reports: 0, unusable: 0 }
  readonly #registry: Pick<Registry, 'findToken'>
  readonly #trace: Trace

  constructor(registry: Pick<Registry, 'findToken'>, trace: Trace) {
    this.#registry = registry
    this.#trace = trace
  }

  reported(device: ReportingDevice, message: MessageOf<'tracingAck'>, nowMs: number): void {
    const { report, token, tracingId } = message
    const stage =
      report === courierReports.shown ? 'shown' : report === courierReports.opened ? 'opened' : undefined
    // Acknowledgements of other clients say nothing of the kind.
    if (stage === undefined) return
    if (tracingId?.length !== 16 || token?.length !== 32) {
      this.counters.unusable++
      return
    }
    // A copy: the token may have to be read, and the chunk that the id is a view of would be kept for so long.
    const apnsId = Uint8Array.from(tracingId)
    this.#registry.findToken(hexText(token), (_error, record) => {
      // What cannot be read is not told: a report is no promise.
      if (record?.device === device.deviceRow) this.#tell(record, apnsId, stage, nowMs)
      else this.counters.unusable++
    })
  }

  #tell(record: TokenRecord, apnsId: Uint8Array, stage: 'shown' | 'opened', nowMs: number): void {
    this.counters.reports++
    const { bundleId: app, topic, tokenBytes: token, device } = record
    // Push type and priority are in the earlier events of the notification; a device does not repeat them.
    this.#trace.reported({ apnsId, app, topic, token, device, pushType: '', priority: 0 }, stage, nowMs)
  }
}
