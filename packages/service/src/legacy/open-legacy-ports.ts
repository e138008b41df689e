import type { TLSSocket } from 'node:tls'
import type { ServerConnection } from '@carillon/http2'
import { errorBody, reasons } from '@carillon/wire'
import type { Authority } from '../authority.ts'
import { watchListener } from '../faults/drivers/watch-listener.ts'
import { FeedbackConnection } from '../feedback/drivers/feedback-connection.ts'
import type { FeedbackList } from '../feedback/feedback-list.ts'
import { FeedbackReading } from '../feedback/feedback-reading.ts'
import { ApnsIds } from '../gateway/apns-ids.ts'
import { limits } from '../limits.ts'
import { listening } from '../start-errors.ts'
import type { BinaryGateway } from './binary-gateway.ts'
import { type BinaryOptions, binaryOptionsOf } from './binary-options.ts'
import { BinaryConnection } from './drivers/binary-connection.ts'
import { ProviderPort, type ProviderPortOptions } from './drivers/provider-port.ts'

export interface LegacyPortsOptions
  extends Omit<BinaryGateway, 'options' | 'feedback' | 'apnsIds' | 'authority'> {
  readonly authority: Authority
  readonly feedback: FeedbackList
  readonly random: (bytes: number) => Uint8Array
  readonly host: string
  /** 0: chosen by the system; a port that is absent is not opened. */
  readonly ports: { readonly binary?: number; readonly feedback?: number }
  readonly tls: { readonly certPem: string; readonly keyPem: string }
  readonly binary: Partial<BinaryOptions> | undefined
  /** Makes the connection of a client that speaks HTTP/2. */
  readonly http2: (socket: TLSSocket) => ServerConnection
}

export interface LegacyPorts {
  /** Of the ports that were opened. */
  readonly addresses: {
    readonly [port in 'binary' | 'feedback']?: { readonly host: string; readonly port: number }
  }
  /** How many connections of the original protocol a port has. */
  connectionCount(port: 'binary' | 'feedback'): number
  /** Status 10 to binary clients; what feedback clients have not read stays listed. */
  close(): Promise<void>
}

/** Opens the ports of the original protocol: notifications, and feedback. Both serve channel management, too. */
export async function openLegacyPorts(options: LegacyPortsOptions): Promise<LegacyPorts> {
  const { feedback, now, onTrouble, ports } = options
  const gateway: BinaryGateway = {
    environment: options.environment,
    authority: options.authority,
    registry: options.registry,
    delivery: options.delivery,
    feedback,
    apnsIds: new ApnsIds(options.random),
    trace: options.trace,
    onTrouble,
    now,
    options: binaryOptionsOf(options.binary),
    faults: options.faults,
  }
  const opened = new Map<'binary' | 'feedback', ProviderPort>()
  const close = async (): Promise<void> => {
    await Promise.all(Array.from(opened.values(), (port) => port.close()))
  }
  const open = async (name: 'binary' | 'feedback', own: OwnOptions) => {
    const port = ports[name]
    if (port === undefined) return undefined
    const opening = new ProviderPort({ ...portOptions(options, port), ...own })
    const address = await listening(`ports.${name}`, options.host, port, () => opening.listen())
    opened.set(name, opening)
    return address
  }
  try {
    const binary = await open('binary', {
      silentMs: undefined,
      watchServer: (server, context) => {
        if (options.faults !== undefined) watchListener(server, 'binary', options.faults, context)
      },
      accept: (socket, client, firstBytes) => new BinaryConnection(socket, client, gateway, firstBytes),
    })
    const told = await open('feedback', {
      silentMs: limits.feedbackSilentMs,
      accept: (socket, { topics }, _firstBytes, reset) =>
        new FeedbackConnection(socket, new FeedbackReading(feedback, topics), reset, now, onTrouble),
    })
    return {
      addresses: { ...(binary && { binary }), ...(told && { feedback: told }) },
      connectionCount: (port) => opened.get(port)?.connectionCount ?? 0,
      close,
    }
  } catch (cause) {
    await close()
    throw cause
  }
}

/** What differs between the two ports. */
type OwnOptions = Pick<ProviderPortOptions, 'accept' | 'silentMs' | 'watchServer'>

function portOptions(options: LegacyPortsOptions, port: number): Omit<ProviderPortOptions, keyof OwnOptions> {
  const { environment, authority, now, host, tls, http2 } = options
  return {
    environment,
    authority,
    now,
    host,
    port,
    tls,
    http2,
    goawayData: errorBody(reasons.Shutdown),
  }
}
