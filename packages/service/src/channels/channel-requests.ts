import { DatabaseError } from '@carillon/database'
import type { HeaderList } from '@carillon/http2'
import {
  apnsIdBytes,
  type ChannelTarget,
  checkBroadcastExpiration,
  checkBroadcastHeaders,
  checkBroadcastPayload,
  checkChannelHeaders,
  checkChannelTarget,
  encodeChannelConfig,
  encodeChannelList,
  isApnsId,
  isReason,
  type PushHeaders,
  type PushType,
  parseGatewayPath,
  type Reason,
  readChannelConfig,
  reasons,
  requestIdOf,
  suffixedPushTypeOf,
} from '@carillon/wire'
import type { Authority } from '../authority.ts'
import type { Fidelity } from '../fidelity.ts'
import type { Trace } from '../trace/trace.ts'
import type { Channel } from './channel.ts'
import { bodyHeaders, createdHeaders, doneHeaders } from './channel-answers.ts'
import type { Channels } from './channels.ts'
import type { Publication } from './publisher.ts'

/** A provider's connection, as far as channels need it. */
export interface ChannelClient {
  readonly credentials: {
    authenticate(authorization: string, nowMs: number): Reason | undefined
    allowsTopic(topic: string, bundleId: string, teamId: string, pushType: PushType | undefined): boolean
  }
  acceptChannelRequest(streamId: number, headers: HeaderList, body?: Uint8Array): void
  rejectChannelRequest(streamId: number, requestId: string, reason: Reason): void
}

export interface ChannelRequestsOptions {
  readonly channels: Channels
  readonly authority: Pick<Authority, 'app'>
  readonly fidelity: Pick<Fidelity, 'checksBroadcastEvent' | 'unknownChannelDeletion'>
  /** Makes request ids for those who sent none. */
  readonly requestIds: { next(): string }
  /** Told of each broadcast that is rejected; nobody where absent. */
  readonly trace?: Pick<Trace, 'rejected'>
  readonly onTrouble: (sentence: string, cause: unknown) => void
}

/** A request that passed all steps which need no channel. */
interface Request {
  readonly target: ChannelTarget
  readonly requestId: string
  /** '' where the operation needs none. */
  readonly channelId: string
  /** Undefined where it is larger than any may be. */
  readonly body: Uint8Array | undefined
  readonly priority: Publication['priority']
  readonly expiration: number
}

interface Success {
  readonly headers: HeaderList
  readonly body?: Uint8Array
}

/**
 * Channel management and broadcasts, for all connections: each request in the same steps, of which the first that
 * fails names the reason. Apple: "Sending channel management requests to APNs" and "Sending broadcast push
 * notification requests to APNs".
 */
export class ChannelRequests {
  readonly #options: ChannelRequestsOptions

  constructor(options: ChannelRequestsOptions) {
    this.#options = options
  }

  /**
   * Answers now or later, once.
   * @param headers collected; they belong to the caller again after this call
   * @param body undefined where it is larger than any may be; may be a view of the receive buffer
   * @param isClosing the gateway stops: whatever still comes is answered Shutdown
   */
  take(
    client: ChannelClient,
    streamId: number,
    headers: PushHeaders,
    body: Uint8Array | undefined,
    nowMs: number,
    isClosing = false,
  ): void {
    const requestId = this.#requestIdFor(headers)
    const checked = isClosing ? reasons.Shutdown : this.#check(client, headers, nowMs)
    const reject = this.#rejection(client, streamId, requestId, headers, nowMs)
    if (isReason(checked)) return reject(checked)
    const { channelId, priority, expiration } = headers
    const kept = body && Uint8Array.from(body)
    this.#perform({ target: checked, requestId, channelId, body: kept, priority, expiration }).then(
      (outcome) => {
        if (isReason(outcome)) reject(outcome)
        else client.acceptChannelRequest(streamId, outcome.headers, outcome.body)
      },
      (error: unknown) => reject(this.#reasonOf(error)),
    )
  }

  /** Refuses a request that is not looked at: it never arrived whole. */
  refuse(client: ChannelClient, streamId: number, headers: PushHeaders, reason: Reason, nowMs: number): void {
    this.#rejection(client, streamId, this.#requestIdFor(headers), headers, nowMs)(reason)
  }

  #requestIdFor(headers: PushHeaders): string {
    const sentId = requestIdOf(headers)
    return isApnsId(sentId) ? sentId : this.#options.requestIds.next()
  }

  /** How a request is refused. A broadcast is traced under its request id, where a notification has its apns-id. */
  #rejection(
    client: ChannelClient,
    streamId: number,
    requestId: string,
    { path, channelId, priority, pushTypeText: pushType }: PushHeaders,
    nowMs: number,
  ): (reason: Reason) => void {
    const parsed = parseGatewayPath(path)
    const { trace } = this.#options
    return (reason) => {
      if (parsed?.api === 'broadcast') {
        const { bundleId: topic } = parsed
        const id = { apnsId: requestId, token: '', topic, channelId }
        const rejected = { ...id, pushType, priority, reason: reason.text }
        trace?.rejected(rejected, nowMs)
      }
      client.rejectChannelRequest(streamId, requestId, reason)
    }
  }

  /** The steps that need neither channel nor body. */
  #check(client: ChannelClient, headers: PushHeaders, nowMs: number): ChannelTarget | Reason {
    const target = checkChannelTarget(headers.method, headers.path)
    if (isReason(target)) return target
    return (
      client.credentials.authenticate(headers.authorization, nowMs) ??
      checkHeaders(headers, target) ??
      this.#checkApp(client, target.bundleId) ??
      target
    )
  }

  /** One reason for an app of another team and for one that does not exist: nobody learns which exist. */
  #checkApp(client: ChannelClient, bundleId: string): Reason | undefined {
    const app = this.#options.authority.app(bundleId)
    if (app === undefined) {
      return suffixedPushTypeOf(bundleId) === undefined ? reasons.TopicMismatch : reasons.TopicDisallowed
    }
    if (!client.credentials.allowsTopic(bundleId, bundleId, app.teamId, undefined))
      return reasons.TopicMismatch
    return this.#options.channels.isEnabled(bundleId) ? undefined : reasons.BroadcastFeatureNotEnabled
  }

  #perform(request: Request): Promise<Success | Reason> {
    switch (request.target.operation) {
      case 'create':
        return this.#create(request)
      case 'read':
        return this.#read(request)
      case 'delete':
        return this.#delete(request)
      case 'list':
        return this.#list(request)
      case 'broadcast':
        return this.#broadcast(request)
    }
  }

  async #create({ target, requestId, body }: Request): Promise<Success | Reason> {
    if (body === undefined) return reasons.PayloadTooLarge
    const config = readChannelConfig(body)
    if (isReason(config)) return config
    const channel = await this.#options.channels.create(target.bundleId, config.messageStoragePolicy)
    return isReason(channel) ? channel : { headers: createdHeaders(requestId, channel.id) }
  }

  async #read(request: Request): Promise<Success | Reason> {
    const channel = await this.#find(request)
    if (isReason(channel)) return channel
    const body = encodeChannelConfig({ messageStoragePolicy: channel.policy })
    return { headers: bodyHeaders(request.requestId), body }
  }

  async #delete(request: Request): Promise<Success | Reason> {
    const { channels, fidelity } = this.#options
    const channel = await this.#find(request)
    if (!isReason(channel) && (await channels.remove(channel))) {
      return { headers: doneHeaders('204', request.requestId) }
    }
    // Seen: Apple's service answers BadPath to the deletion of an unknown channel.
    if (fidelity.unknownChannelDeletion === 'BadPath') return reasons.BadPath
    return isReason(channel) ? channel : reasons.ChannelNotRegistered
  }

  async #list({ target, requestId }: Request): Promise<Success> {
    const body = encodeChannelList(this.#options.channels.list(target.bundleId))
    return { headers: bodyHeaders(requestId), body }
  }

  async #broadcast(request: Request): Promise<Success | Reason> {
    const { channels, fidelity } = this.#options
    const { body, priority, expiration, requestId } = request
    if (body === undefined) return reasons.PayloadTooLarge
    const unusable = checkBroadcastPayload(body, fidelity.checksBroadcastEvent)
    if (unusable !== undefined) return unusable
    const channel = await this.#find(request)
    if (isReason(channel)) return channel
    const publication = { payload: body, priority, expiration, requestId: apnsIdBytes(requestId)! }
    const refusal =
      checkBroadcastExpiration(expiration, channel.policy) ?? (await channels.publish(channel, publication))
    return refusal ?? { headers: doneHeaders('200', requestId) }
  }

  async #find({ target, channelId }: Request): Promise<Channel | Reason> {
    const { channels } = this.#options
    return channels.find(target.bundleId, channelId) ?? channels.whyUnknown(target.bundleId, channelId)
  }

  #reasonOf(error: unknown): Reason {
    if (error instanceof DatabaseError && error.code === 'DATABASE_BUSY') return reasons.ServiceUnavailable
    this.#options.onTrouble('A request of channel management or a broadcast failed.', error)
    return reasons.InternalServerError
  }
}

function checkHeaders(headers: PushHeaders, { operation }: ChannelTarget): Reason | undefined {
  if (operation === 'broadcast') return checkBroadcastHeaders(headers)
  return checkChannelHeaders(headers, operation === 'read' || operation === 'delete')
}
