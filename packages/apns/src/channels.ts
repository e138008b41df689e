import {
  allChannelsPath,
  type ChannelConfig,
  channelsPath,
  encodeChannelConfig,
  header,
  isChannelId,
  readChannelConfig,
  readChannelList,
  reasons,
} from '@carillon/wire'
import { checkBundleId } from './bundle-id.ts'
import { type CallOutcome, type ChannelResult, channelResult, unreadable } from './channel-result.ts'
import { checkSignal } from './check-signal.ts'
import { ArgumentError } from './errors.ts'
import { PendingPush } from './pending-push.ts'
import type { PushResult } from './result.ts'

/** `none`: only devices that are connected get a message. `latest`: the last one is kept for others, up to 8 hours. */
export type ChannelStorage = 'none' | 'latest'

/** For each request of channel management. */
export interface ChannelCallOptions {
  /** Takes the request back. */
  readonly signal?: AbortSignal
}

/** What channel management needs of its client. */
export interface ChannelCaller {
  nextId(): string
  ask(pending: PendingPush): Promise<PushResult>
}

/**
 * Broadcast channels of apps: `client.channels`. Every answer is data, as with `send`. Apple: "Sending channel
 * management requests to APNs"; management has its own host there, and connections of its own here.
 */
export class Channels {
  readonly #caller: ChannelCaller

  constructor(caller: ChannelCaller) {
    this.#caller = caller
  }

  /** Makes a channel. Its storage cannot be changed later. An `ambiguous` outcome may have made one: see `list`. */
  async create(
    bundleId: string,
    storage: ChannelStorage,
    options?: ChannelCallOptions,
  ): Promise<ChannelResult<{ readonly channelId: string }>> {
    if (storage !== 'none' && storage !== 'latest')
      throw new ArgumentError('storage', "give 'none' or 'latest'")
    const config: ChannelConfig = { messageStoragePolicy: storage === 'latest' ? 1 : 0 }
    return this.#call(
      'POST',
      channelsPath,
      bundleId,
      '',
      encodeChannelConfig(config),
      options,
      ({ headers }) => {
        const at = headers.indexOf(header.apnsChannelId)
        return at === -1 ? undefined : { channelId: headers[at + 1]! }
      },
    )
  }

  /** What a channel was made with. */
  async read(
    bundleId: string,
    channelId: string,
    options?: ChannelCallOptions,
  ): Promise<ChannelResult<{ readonly storage: ChannelStorage }>> {
    checkChannelId(channelId)
    return this.#call('GET', channelsPath, bundleId, channelId, noBody, options, ({ body }) => {
      const config = readChannelConfig(body)
      if (!('messageStoragePolicy' in config)) return undefined
      return { storage: config.messageStoragePolicy === 1 ? 'latest' : 'none' }
    })
  }

  /** The ids of all channels of an app. */
  async list(
    bundleId: string,
    options?: ChannelCallOptions,
  ): Promise<ChannelResult<{ readonly channelIds: readonly string[] }>> {
    return this.#call('GET', allChannelsPath, bundleId, '', noBody, options, ({ body }) => {
      const channelIds = readChannelList(body)
      return channelIds === undefined ? undefined : { channelIds }
    })
  }

  /** Deletes a channel for good. Unknown ones are answered with BadPath, as Apple's service was seen to do. */
  async delete(
    bundleId: string,
    channelId: string,
    options?: ChannelCallOptions,
  ): Promise<ChannelResult<object>> {
    checkChannelId(channelId)
    const result = await this.#call('DELETE', channelsPath, bundleId, channelId, noBody, options, () => ({}))
    return result.ok || result.reason !== reasons.BadPath.text ? result : { ...result, hint: noSuchChannel }
  }

  async #call<T extends object>(
    method: string,
    pathOf: (bundleId: string) => string,
    bundleId: string,
    channelId: string,
    body: Uint8Array,
    options: ChannelCallOptions | undefined,
    read: (answer: CallOutcome) => T | undefined,
  ): Promise<ChannelResult<T>> {
    checkBundleId(bundleId)
    checkSignal(options?.signal)
    const outcome: CallOutcome = { headers: [], body: noBody }
    const id = this.#caller.nextId()
    const pending = new PendingPush(pathOf(bundleId), id, bundleId, '', '', '', '', body, options?.signal)
    // Asking twice is harmless, making or deleting twice is not.
    pending.whenAmbiguous = method === 'GET' ? 'resend' : 'report'
    pending.call = {
      method,
      headers: channelId === '' ? [] : [header.apnsChannelId, channelId],
      onSuccess(headers, bytes) {
        outcome.headers = headers
        outcome.body = bytes.slice()
      },
    }
    const result = await this.#caller.ask(pending)
    if (!result.ok) return channelResult(result)
    const told = read(outcome)
    return told === undefined ? unreadable(result.apnsId) : { ...channelResult(result), ...told }
  }
}

const noBody = new Uint8Array(0)

const noSuchChannel = 'There is no such channel: it was deleted before, or it is of the other environment.'

/** Throws ArgumentError for what is no channel id. */
export const checkChannelId = (channelId: unknown): void => {
  if (typeof channelId === 'string' && isChannelId(channelId)) return
  throw new ArgumentError('channelId', 'give the id exactly as it came back when the channel was created')
}
