import type { DatabaseStatistics } from '@carillon/database'
import type { Courier } from '../courier/courier.ts'
import type { HealthNumber } from '../metrics/prometheus.ts'
import type { TraceStatistics } from '../trace/drivers/open-trace.ts'

/** What the numbers about the process and its parts are read from. */
export interface HealthSources {
  readonly providerConnections: () => number
  /** Of the original protocol. */
  readonly legacyConnections: (port: 'binary' | 'feedback') => number
  readonly deviceConnections: () => number
  readonly devicesOnline: () => number
  readonly courierCounters: () => object
  readonly admission: () => Courier['admission']
  readonly deliveryCounters: () => object
  readonly database: () => DatabaseStatistics
  readonly trace: TraceStatistics
  readonly process: ProcessNumbers
}

/** What the operating system and the runtime know. */
export interface ProcessNumbers {
  cpuSeconds(): number
  residentBytes(): number
  heapUsedBytes(): number
  openFiles(): number
  /** 0 where it is not known. */
  openFilesMax(): number
  /** Delay of the event loop since it was asked last, in seconds, by quantile. */
  eventLoopDelay(): Iterable<readonly [quantile: string, seconds: number]>
}

/** The numbers about the health of one environment's push service. */
export function healthNumbers(sources: HealthSources): HealthNumber[] {
  const { database, trace, process } = sources
  const gauge = (name: string, help: string, read: () => number): HealthNumber => ({
    ...{ name, help, type: 'gauge', read },
  })
  const counter = (name: string, help: string, read: () => number): HealthNumber => ({
    ...{ name, help, type: 'counter', read },
  })
  return [
    {
      ...{ name: 'carillon_connections', help: 'Open connections.', type: 'gauge', labels: ['kind'] },
      read: () => [
        [{ kind: 'provider' }, sources.providerConnections()],
        [{ kind: 'binary' }, sources.legacyConnections('binary')],
        [{ kind: 'feedback' }, sources.legacyConnections('feedback')],
        [{ kind: 'device' }, sources.deviceConnections()],
      ],
    },
    gauge('carillon_devices_online', 'Devices with a session.', sources.devicesOnline),
    labelled(
      'carillon_courier_total',
      'What happened at the courier since the start.',
      sources.courierCounters,
    ),
    labelled(
      'carillon_admissions_total',
      'Connections of devices since the start: let in, of those the ones that waited, refused.',
      () => {
        const { admitted, waited, refused } = sources.admission()
        return { admitted, waited, refused }
      },
    ),
    {
      ...labelled(
        'carillon_admission_connections',
        'Connections of devices that wait, or are unproven.',
        () => {
          const { waiting, unproven } = sources.admission()
          return { waiting, unproven }
        },
      ),
      type: 'gauge',
    },
    labelled('carillon_delivery_total', 'What delivery did since the start.', sources.deliveryCounters),
    gauge('carillon_store_units_waiting', 'Writes that no commit has taken yet.', () => {
      return database().unitsWaiting
    }),
    gauge('carillon_store_bytes_waiting', 'Their size.', () => database().bytesWaiting),
    counter('carillon_store_commits_total', 'Commits since the start.', () => database().commits),
    counter(
      'carillon_store_units_total',
      'Writes committed since the start.',
      () => database().unitsCommitted,
    ),
    counter(
      'carillon_store_failures_total',
      'Writes that failed since the start.',
      () => database().unitsFailed,
    ),
    counter('carillon_trace_records_total', 'Records of the trace since the start.', () => trace.records),
    counter('carillon_trace_lost_total', 'Records that could not be written.', () => trace.lostRecords),
    gauge('carillon_trace_bytes', 'Size of the trace on disk.', () => trace.bytes),
    gauge('carillon_trace_segments', 'Files of the trace.', () => trace.segments),
    counter('process_cpu_seconds_total', 'CPU time of the process.', process.cpuSeconds),
    gauge('process_resident_memory_bytes', 'Memory of the process.', process.residentBytes),
    gauge('nodejs_heap_size_used_bytes', 'Memory of JavaScript objects.', process.heapUsedBytes),
    gauge('process_open_fds', 'Open files and connections.', process.openFiles),
    gauge('process_max_fds', 'The most that may be open; 0 where it is not known.', process.openFilesMax),
    {
      name: 'nodejs_eventloop_delay_seconds',
      help: 'How long the event loop was held up, since the last scrape.',
      type: 'gauge',
      labels: ['quantile'],
      read: () => Array.from(process.eventLoopDelay(), ([quantile, value]) => [{ quantile }, value] as const),
    },
  ]
}

/** One metric of all the numbers of an object, those inside of others included. */
function labelled(name: string, help: string, read: () => object): HealthNumber {
  return {
    ...{ name, help, type: 'counter', labels: ['event'] },
    read: () => {
      const found: (readonly [{ event: string }, number])[] = []
      for (const [event, value] of Object.entries(read() as Record<string, unknown>)) {
        if (typeof value === 'number') found.push([{ event }, value])
        else if (typeof value === 'object' && value !== null) {
          for (const [inner, count] of Object.entries(value)) {
            if (typeof count === 'number') found.push([{ event: `${event}: ${inner}` }, count])
          }
        }
      }
      return found
    },
  }
}
