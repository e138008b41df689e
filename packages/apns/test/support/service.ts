import type { HeaderList, ServerHandler } from '@carillon/http2'
import { PushClient, type PushClientOptions } from '../../src/index.ts'
import { makeAuthKey } from './certificate.ts'
import { type Link, World } from './world.ts'

/** A request as the scripted service sees it. */
export interface SeenRequest {
  readonly link: Link
  readonly streamId: number
  /** Counted over all connections, from 0. */
  readonly number: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  accept(): void
  /** The service takes the push over, and says nothing. */
  acceptSilently(): void
  reject(status: number, body: object): void
  refuse(): void
}

export interface Script {
  onConnect?(link: Link): Error | undefined
  onRequest(request: SeenRequest): void
}

export const REFUSED_STREAM = 0x7

/** A push service in a simulated world that does what its script says, and notes what it accepted. */
export class ScriptedService {
  readonly world: World
  /** apns-ids that the service took over, each as often as it did, whether its answer arrived or not. */
  readonly accepted: string[] = []
  requests = 0

  constructor(script: Script, seed?: number) {
    this.world = new World((link) => script.onConnect?.(link) ?? this.#handler(link, script), seed)
  }

  #handler(link: Link, script: Script): ServerHandler {
    return {
      onRequest: (streamId, headers, body) => {
        script.onRequest(this.#seen(link, streamId, headers, body))
      },
      onBodyTooLarge: () => {},
      onRequestReset: () => {},
      onEnd: () => {},
    }
  }

  #seen(link: Link, streamId: number, list: HeaderList, body: Uint8Array): SeenRequest {
    const headers: Record<string, string> = {}
    for (let i = 0; i < list.length; i += 2) headers[list[i] ?? ''] = list[i + 1] ?? ''
    const apnsId = headers['apns-id'] ?? ''
    return {
      link,
      streamId,
      number: this.requests++,
      headers,
      body: Buffer.from(body).toString(),
      accept: () => {
        this.accepted.push(apnsId)
        link.server.respond(streamId, [':status', '200', 'apns-id', apnsId])
      },
      acceptSilently: () => void this.accepted.push(apnsId),
      reject: (status, answer) => {
        link.server.respond(
          streamId,
          [':status', String(status), 'apns-id', apnsId],
          Buffer.from(JSON.stringify(answer)),
        )
      },
      refuse: () => link.server.reset(streamId, REFUSED_STREAM),
    }
  }
}

const privateKey = makeAuthKey()
let keys = 0

/** A key id that no other client of this process has, so that signers are not shared between tests. */
export const newKeyId = (): string => `KEY${String(keys++).padStart(7, '0')}`

/** A client in the world of a service. */
export const clientOf = (service: ScriptedService, options: Partial<PushClientOptions> = {}): PushClient =>
  new PushClient(
    {
      auth: { type: 'token', keyId: newKeyId(), teamId: 'TEAM000001', privateKey },
      environment: 'sandbox',
      host: 'push.test',
      ...options,
    },
    service.world,
  )

export const deviceToken = 'ab'.repeat(32)
export const push = (n = 0) => ({
  deviceToken,
  topic: 'com.example.app',
  pushType: 'alert' as const,
  payload: { aps: { alert: `Hello ${n}` } },
})
