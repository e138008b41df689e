import { openAdmin } from './admin/open-admin.ts'
import { faultRoutes } from './admin/routes/fault-routes.ts'
import { LocalBus } from './bus/local-bus.ts'
import { nextTurn } from './channels/drivers/next-turn.ts'
import { openChannels } from './channels/open-channels.ts'
import { startCourier } from './courier/courier.ts'
import { shortTimer } from './delivery/drivers/short-timer.ts'
import type { Mailbox } from './delivery/mailbox.ts'
import { openDelivery } from './delivery/open-delivery.ts'
import { Endings } from './endings.ts'
import { watchListener } from './faults/drivers/watch-listener.ts'
import { Faults } from './faults/faults.ts'
import { faultyRegistry } from './faults/faulty-registry.ts'
import { openFeedbackList } from './feedback/feedback-list.ts'
import { type Fidelity, fidelityOf } from './fidelity.ts'
import { startGateway } from './gateway/start-gateway.ts'
import { openLegacyPorts } from './legacy/open-legacy-ports.ts'
import { powerHook } from './power/power-hook.ts'
import { PowerPolicy } from './power/power-policy.ts'
import { DeviceReports } from './receipts/device-reports.ts'
import { openRegistry } from './registry/open-registry.ts'
import type { PushService, ServiceOptions } from './service-options.ts'
import { checkTls, listening, openDataDirectory } from './start-errors.ts'
import { openMessageStore } from './store/database-message-store.ts'
import { openTrace } from './trace/drivers/open-trace.ts'

/** How often store, channels and delivery look for what is due. */
const tickMs = 1000

/**
 * Starts one environment. The composition root: the only file that knows every folder of this package.
 * @throws ServiceError with one plain sentence; nothing stays open or listening then
 */
export async function startService(given: ServiceOptions): Promise<PushService> {
  const options = { ...given, onTrouble: given.onTrouble ?? warn }
  const fidelity = fidelityOf(options.fidelity)
  checkTls(options.tls, options.authority)
  const endings = new Endings(options.onTrouble)
  try {
    const core = await openCore(options, fidelity, endings)
    const courier = await openDevicePorts(options, core, endings)
    const provider = await openProviderPorts(options, core, endings)
    const { faults } = core
    const admin = await openAdmin(options, {
      ...{ ...core, now: options.now, onTrouble: options.onTrouble },
      ...{ gateway: provider.gateway, legacy: provider.legacy, courier: courier.courier },
      routes: [faultRoutes(faults)],
    })
    if (admin !== undefined) endings.add(() => admin.close())
    // First of all: connections that stand still on purpose would keep their listeners open.
    endings.add(() => faults.close())
    return {
      environment: options.environment,
      ...courier.addresses,
      ...provider.addresses,
      ...(admin === undefined ? {} : { admin: { host: admin.host, port: admin.port } }),
      drainDevices: (drain) => courier.courier.drain(drain),
      faults,
      close: () => endings.all(),
    }
  } catch (cause) {
    await endings.all()
    throw cause
  }
}

/** The options, with somebody who is told of trouble. */
type Options = ServiceOptions & Required<Pick<ServiceOptions, 'onTrouble'>>

type Core = Awaited<ReturnType<typeof openCore>>

/** What has no port: the database and all that lives in it, and delivery, in which gateway and courier meet. */
async function openCore(options: Options, fidelity: Fidelity, endings: Endings) {
  const { authority, dataDir, now, random, onTrouble } = options
  const faults = new Faults({
    now,
    ...(options.faults && { plan: options.faults }),
    ...(options.expiredTls && { expiredTls: options.expiredTls }),
  })
  const database = await openDataDirectory(dataDir)
  endings.add(() => database.close())
  const isApp = (bundleId: string) => authority.app(bundleId) !== undefined
  const tracing = await openTrace({ ...options.trace, dataDir, database, now, onTrouble, isApp })
  endings.add(() => tracing.close())
  const { trace } = tracing
  const { tokenLifeDays } = fidelity
  const registry = openRegistry({ database, authority, now, random, tokenLifeDays })
  endings.add(() => registry.close())
  const store = await openMessageStore({ database, onTrouble })
  endings.add(() => store.close())
  const { channels, requests, subscribers } = await openChannels({
    ...{ database, authority, now, random, fidelity, trace, nextTurn, onTrouble },
  })
  endings.add(() => channels.close())
  const bus = new LocalBus<Mailbox>()
  const power = options.power === 'ignore' ? undefined : new PowerPolicy(options.power)
  const delivery = openDelivery({
    ...{ store, bus, registry, authority, now, onTrouble, shortTimer, trace, power },
  })
  const ticker = setInterval(() => {
    store.tick(now())
    channels.tick(now())
    delivery.tick(now())
  }, tickMs)
  ticker.unref()
  endings.add(() => clearInterval(ticker))
  return {
    ...{ faults, database, trace: tracing, registry, store, bus, power, delivery, fidelity },
    ...{ channels, channelRequests: requests, channelSubscribers: subscribers },
  }
}

/** The courier, over TLS and over WebSocket. */
async function openDevicePorts(options: Options, core: Core, endings: Endings) {
  const { authority, tls, host, ports, now, random, onTrouble, commons, admission, keepAlive } = options
  const { delivery, faults, power, registry } = core
  const powerReports = powerHook((device, state) => delivery.powerChanged(device, state))
  const courier = await listening('ports.courier', host, ports.courier, () =>
    startCourier({
      ...{ host, port: ports.courier, tls, authority, registry, delivery, now, random, onTrouble },
      ...(commons === undefined ? {} : { commons }),
      ...(admission === undefined ? {} : { admission }),
      ...(keepAlive === undefined ? {} : { keepAlive }),
      hooks: {
        channels: core.channelSubscribers,
        reports: new DeviceReports(registry, core.trace.trace),
        ...(power === undefined ? {} : { power: powerReports }),
      },
      watchServer: (server, context) => watchListener(server, 'courier', faults, context),
      acceptsRsaSha1: options.acceptsRsaSha1 ?? true,
    }),
  )
  endings.add(() => courier.close())
  const port = ports.courierWebSocket
  if (port === undefined) return { courier, addresses: { courier: courier.address } }
  const courierWebSocket = await listening('ports.courierWebSocket', host, port, () =>
    courier.listenWebSocket(port),
  )
  return { courier, addresses: { courier: courier.address, courierWebSocket } }
}

/** The gateway, and the ports of the original protocol beside it. */
async function openProviderPorts(options: Options, core: Core, endings: Endings) {
  const { environment, authority, tls, host, ports, now, random, onTrouble } = options
  const { database, delivery, faults, fidelity, registry } = core
  const { trace } = core.trace
  const shared = { environment, authority, delivery, tls, host, now, random, onTrouble, trace, faults }
  const gateway = await listening('ports.http2', host, ports.http2, () =>
    startGateway({
      ...{ ...shared, port: ports.http2, fidelity, channels: core.channelRequests },
      registry: faultyRegistry(registry, faults, 'http2'),
    }),
  )
  endings.add(() => gateway.close())
  const legacy = await openLegacyPorts({
    ...{ ...shared, ports, binary: options.binary },
    registry: faultyRegistry(registry, faults, 'binary'),
    feedback: openFeedbackList({ database, onTrouble }),
    http2: (socket) => gateway.managementConnection(socket),
  })
  endings.add(() => legacy.close())
  return { gateway, legacy, addresses: { http2: { host, port: gateway.port }, ...legacy.addresses } }
}

function warn(sentence: string, cause: unknown): void {
  process.emitWarning(sentence, {
    detail: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause),
  })
}
