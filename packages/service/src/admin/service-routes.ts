import type { Database } from '@carillon/database'
import type { Bus, BusInbox } from '../bus/bus.ts'
import { channelNumbers } from '../channels/channel-numbers.ts'
import type { Channels } from '../channels/channels.ts'
import type { Courier } from '../courier/courier.ts'
import type { OpenDelivery } from '../delivery/open-delivery.ts'
import type { RunningGateway } from '../gateway/start-gateway.ts'
import type { LegacyPorts } from '../legacy/open-legacy-ports.ts'
import { prometheusRegistry } from '../metrics/prometheus.ts'
import type { OpenTrace } from '../trace/drivers/open-trace.ts'
import type { AdminRoutes } from './api.ts'
import { DeviceReading } from './device-reading.ts'
import { healthNumbers, type ProcessNumbers } from './health.ts'
import type { OpenStreams } from './open-streams.ts'
import { connectionRoutes } from './routes/connection-routes.ts'
import { deviceRoutes } from './routes/device-routes.ts'
import { metricRoutes } from './routes/metric-routes.ts'
import { receiptRoutes } from './routes/receipt-routes.ts'
import { traceRoutes } from './routes/trace-routes.ts'
import { traceStream } from './routes/trace-stream.ts'

/** The parts of a push service that the admin API tells of. */
export interface ServiceParts {
  readonly database: Database
  readonly bus: Bus<BusInbox>
  readonly gateway: RunningGateway
  readonly legacy: Pick<LegacyPorts, 'connectionCount'>
  readonly courier: Courier
  readonly delivery: OpenDelivery
  readonly channels: Channels
  readonly trace: Pick<OpenTrace, 'journal' | 'metrics' | 'statistics'>
  readonly now: () => number
}

/** What the admin API says of a running push service, one group of routes for each thing. */
export function serviceRoutes(
  parts: ServiceParts,
  process: ProcessNumbers,
  streams: OpenStreams,
): AdminRoutes[] {
  const { bus, courier, database, delivery, gateway, legacy, now } = parts
  const { journal, metrics, statistics } = parts.trace
  const registry = prometheusRegistry(metrics.counts, [
    ...channelNumbers(parts.channels),
    ...healthNumbers({
      providerConnections: () => gateway.connectionCount,
      legacyConnections: (port) => legacy.connectionCount(port),
      deviceConnections: () => courier.connections,
      devicesOnline: () => bus.localDevices,
      courierCounters: () => courier.counters,
      admission: () => courier.admission,
      deliveryCounters: () => delivery.counters,
      database: () => database.statistics(),
      trace: statistics,
      process,
    }),
  ])
  return [
    // Before the routes of a trace, whose id it would be taken for.
    traceStream(journal, streams),
    traceRoutes(journal),
    receiptRoutes(journal, streams),
    metricRoutes(metrics, registry, now),
    connectionRoutes({
      ...{ providerCount: () => gateway.connectionCount, providers: () => gateway.connections() },
      ...{ deviceCount: () => bus.localDevices, devices: (countMax) => courier.devices(countMax) },
    }),
    deviceRoutes({
      reading: new DeviceReading(database),
      isOnline: (device) => bus.find(device) !== undefined,
      now,
    }),
  ]
}
