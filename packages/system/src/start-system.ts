import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { openPortal, type Portal, startPortalServer } from '@carillon/portal'
import { startProvider } from '@carillon/provider'
import {
  type FaultControl,
  type ListenAddress,
  openCourierCommons,
  type PushService,
  startService,
} from '@carillon/service'
import { type Environment, environments } from '@carillon/wire'
import { authorityOf } from './authority.ts'
import { type DataDirectory, prepareDataDirectory, secretIn } from './data-directory.ts'
import {
  type Address,
  type Endpoints,
  type EnvironmentEndpoints,
  removeEndpoints,
  writeEndpoints,
} from './endpoints.ts'
import { type PortChoice, portsFor, type SystemPorts } from './ports.ts'
import { type ServiceSettings, settingsOf } from './service-settings.ts'
import { startFailure } from './start-failure.ts'

const dayMs = 86_400_000

export interface SystemOptions {
  /** Everything of this system lives here; made on first use. */
  readonly dataDir: string
  /** `default` unless said otherwise. */
  readonly ports?: PortChoice | SystemPorts
  /** Address that all listeners bind to; 127.0.0.1 unless said otherwise. */
  readonly host?: string
  /** Further names and addresses for the listeners' certificates. */
  readonly names?: readonly string[]
  readonly teamName?: string
  /** Options of both environments of the push service; each may have others of its own. */
  readonly pushService?: ServiceSettings
  readonly sandbox?: Omit<ServiceSettings, 'admission'>
  readonly production?: Omit<ServiceSettings, 'admission'>
  /** Milliseconds since the epoch, for every party; the clock of the machine unless said otherwise. */
  readonly now?: () => number
  /** Told when a party accepts connections, in the order of starting. */
  readonly onStarted?: (party: 'portal' | 'provider' | Environment, address: string) => void
}

export interface RunningSystem {
  readonly endpoints: Endpoints
  readonly portal: Portal
  /** Trouble on purpose, in each environment. */
  readonly faults: Readonly<Record<Environment, FaultControl>>
  /** Ends everything gracefully, newest party first; calling it twice is allowed. */
  close(): Promise<void>
}

type Closing = { close(): Promise<void> }

/**
 * Portal, both environments of the push service and the provider in this process. Resolves when everything
 * accepts connections and `endpoints.json` says how to reach it; where one party cannot start, those that did
 * are closed again and the error names the port, file or option.
 */
export async function startSystem(options: SystemOptions): Promise<RunningSystem> {
  const directory = await prepareDataDirectory(options.dataDir)
  const started: Closing[] = []
  const closeAll = async () => {
    for (let party = started.pop(); party; party = started.pop()) await party.close()
  }
  try {
    return await startParties(options, directory, started, closeAll)
  } catch (error) {
    await closeAll()
    throw startFailure(error)
  }
}

async function startParties(
  options: SystemOptions,
  directory: DataDirectory,
  started: Closing[],
  closeAll: () => Promise<void>,
): Promise<RunningSystem> {
  const ports = typeof options.ports === 'object' ? options.ports : portsFor(options.ports ?? 'default')
  const host = options.host ?? '127.0.0.1'
  const { now = Date.now } = options
  const random = (bytes: number) => new Uint8Array(randomBytes(bytes))
  const tell = options.onStarted ?? (() => {})

  const team = options.teamName === undefined ? {} : { teamName: options.teamName }
  const portal = await openPortal({ dataDir: directory.portal, now, random, ...team })
  started.push(portal)
  const names = options.names ?? []
  const portalServer = await startPortalServer({ portal, host, port: ports.portal, names })
  started.push(portalServer)
  tell('portal', portalServer.url)

  const authority = authorityOf(portal)
  // Made anew at every start: always fresh, and its key never touches the disk.
  const tls = await portal.ca.issueServerCertificate({ names })
  // What faults on purpose may show; it ended a day ago.
  const expired = { validityDays: 1, notBefore: now() - 2 * dayMs }
  const expiredTls = await portal.ca.issueServerCertificate({ names, ...expired })
  const commons = openCourierCommons(options.pushService?.admission ?? {}, now)
  // One key for the portal and for what tells of the push service.
  const admin = { key: (await readFile(portal.files.adminKey, 'utf8')).trim() }
  const services = {} as Record<Environment, PushService>
  for (const environment of environments) {
    services[environment] = await startService({
      ...settingsOf(options.pushService, options[environment]),
      environment,
      dataDir: directory[environment],
      authority,
      tls,
      expiredTls,
      commons,
      host,
      ports: ports[environment],
      admin,
      now,
      random,
    })
    started.push(services[environment])
    const { http2, courier } = services[environment]
    tell(environment, `HTTP/2 ${http2.host}:${http2.port}, courier ${courier.host}:${courier.port}`)
  }

  const apiKey = await secretIn(directory.providerKeyFile)
  const provider = await startProvider({
    dataDir: directory.provider,
    host,
    port: ports.provider,
    apiKeys: [apiKey],
    localServices: {
      sandbox: { ...dialable(services.sandbox.http2), ca: portal.ca.rootPem },
      production: { ...dialable(services.production.http2), ca: portal.ca.rootPem },
    },
    now,
    random,
    // Beyond this machine an API key must not travel in the clear.
    ...(isLoopback(host) ? {} : { tls: { cert: tls.certPem, key: tls.keyPem } }),
  })
  started.push(provider)
  tell('provider', provider.url)

  const endpoints: Endpoints = {
    event: 'ready',
    dataDir: directory.path,
    caFile: portal.files.rootCertificate,
    adminKeyFile: portal.files.adminKey,
    portal: { url: portalServer.url, enrolmentKeyFile: portal.files.enrolmentKey },
    provider: { url: provider.url, apiKeyFile: directory.providerKeyFile },
    // The console comes later; until then there is nothing to open.
    console: { url: null },
    environments: { sandbox: endpointsOf(services.sandbox), production: endpointsOf(services.production) },
  }
  await writeEndpoints(endpoints)
  started.push({ close: () => removeEndpoints(directory.path) })
  const faults = { sandbox: services.sandbox.faults, production: services.production.faults }
  return { endpoints, portal, faults, close: closeAll }
}

function urlOf(scheme: 'https' | 'wss', address: ListenAddress): string {
  const { host, port } = dialable(address)
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}

/** A listener on every address is reached on this machine by the loopback one, which its certificate names. */
function dialable({ host, port }: ListenAddress): Address {
  if (host === '0.0.0.0') return { host: '127.0.0.1', port }
  return host === '::' ? { host: '::1', port } : { host, port }
}

function endpointsOf(service: PushService): EnvironmentEndpoints {
  const { http2, binary, feedback, courier, courierWebSocket, admin } = service
  return {
    http2,
    binary: binary ?? null,
    feedback: feedback ?? null,
    courier,
    courierWebSocket: { url: courierWebSocket ? `${urlOf('wss', courierWebSocket)}/` : null },
    admin: { url: admin ? urlOf('https', admin) : null },
  }
}
