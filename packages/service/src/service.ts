import type { Authority } from './authority.ts'
import { LocalBus } from './bus/local-bus.ts'
import { startCourier } from './courier/courier.ts'
import { shortTimer } from './delivery/drivers/short-timer.ts'
import type { Mailbox } from './delivery/mailbox.ts'
import { openDelivery } from './delivery/open-delivery.ts'
import { startGateway } from './gateway/start-gateway.ts'
import { openRegistry } from './registry/open-registry.ts'
import { checkTls, listening, openDataDirectory } from './start-errors.ts'
import { openMessageStore } from './store/database-message-store.ts'

export interface ListenAddress {
  readonly host: string
  readonly port: number
}

export interface ServiceOptions {
  readonly environment: 'sandbox' | 'production'
  /** Directory of this environment's files; made (0700) where it is absent. */
  readonly dataDir: string
  readonly authority: Authority
  /** Server certificate (with chain) and key of this environment's listeners, PEM. */
  readonly tls: { readonly certPem: string; readonly keyPem: string }
  readonly host: string
  /** 0: chosen by the system. */
  readonly ports: { readonly http2: number; readonly courier: number }
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
  /** Told what could not be done while running, in one sentence. A process warning where absent. */
  readonly onTrouble?: (sentence: string, cause: unknown) => void
  /**
   * MAX_CONCURRENT_STREAMS of a provider connection without certificate until its first valid token; 100 where
   * absent, which is what clients assume until they know better. Apple documents 1.
   */
  readonly streamsBeforeToken?: number
  /** Whether devices may sign with RSA and SHA-1, as foreign clients do; true where absent. */
  readonly acceptsRsaSha1?: boolean
}

/** One running environment of the push service. */
export interface PushService {
  readonly environment: 'sandbox' | 'production'
  readonly http2: ListenAddress
  readonly courier: ListenAddress
  /** Drains: GOAWAY to providers, redirect-free close to devices, last commit, files closed. May be called again. */
  close(): Promise<void>
}

/** How often the store may look for what has expired. */
const storeTickMs = 1000

/**
 * Starts one environment. The composition root: the only file that knows every folder of this package.
 * @throws ServiceError with one plain sentence; nothing stays open or listening then
 */
export async function startService(options: ServiceOptions): Promise<PushService> {
  const { authority, environment, tls, host, ports, now, random } = options
  const onTrouble = options.onTrouble ?? warn
  checkTls(tls, authority)
  /** How to end what was started so far, last first. */
  const endings: (() => void | Promise<void>)[] = []
  const endAll = async (): Promise<void> => {
    for (let end = endings.pop(); end !== undefined; end = endings.pop()) {
      try {
        await end()
      } catch (cause) {
        // The rest is to be closed all the same: the database last, with everything that was accepted.
        onTrouble('A part of the push service did not close cleanly.', cause)
      }
    }
  }
  let closing: Promise<void> | undefined
  // A second call waits for the first: it must not close the database under requests that are still answered.
  const close = (): Promise<void> => {
    closing ??= endAll()
    return closing
  }
  try {
    const database = await openDataDirectory(options.dataDir)
    endings.push(() => database.close())
    const registry = openRegistry({ database, authority, now, random })
    endings.push(() => registry.close())
    const store = await openMessageStore({ database, onTrouble })
    endings.push(() => store.close())
    const ticker = setInterval(() => store.tick(now()), storeTickMs)
    ticker.unref()
    endings.push(() => clearInterval(ticker))
    const bus = new LocalBus<Mailbox>()
    const delivery = openDelivery({ store, bus, registry, authority, now, onTrouble, shortTimer })
    const courier = await listening('ports.courier', host, ports.courier, () =>
      startCourier({
        host,
        port: ports.courier,
        tls,
        authority,
        registry,
        delivery,
        now,
        onTrouble,
        acceptsRsaSha1: options.acceptsRsaSha1 ?? true,
      }),
    )
    endings.push(() => courier.close())
    const gateway = await listening('ports.http2', host, ports.http2, () =>
      startGateway({
        environment,
        authority,
        registry,
        delivery,
        tls,
        host,
        port: ports.http2,
        onTrouble,
        now,
        random,
        ...(options.streamsBeforeToken === undefined
          ? {}
          : { streamsBeforeToken: options.streamsBeforeToken }),
      }),
    )
    endings.push(() => gateway.close())
    return { environment, http2: { host, port: gateway.port }, courier: courier.address, close }
  } catch (cause) {
    await endAll()
    throw cause
  }
}

function warn(sentence: string, cause: unknown): void {
  process.emitWarning(sentence, {
    detail: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause),
  })
}
