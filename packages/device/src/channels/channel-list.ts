import { type Environment, isChannelId, isEnvironment } from '@carillon/wire'
import { DeviceError } from '../device-error.ts'
import { type DeviceFiles, readIfThere, replaceFile } from '../state/device-files.ts'
import { SharedWrite } from '../state/shared-write.ts'

/** A channel that an app on this device listens to. */
export interface ListedChannel {
  readonly environment: Environment
  readonly bundleId: string
  /** Standard base64. */
  readonly channelId: string
  /** `activity`: joined by a Live Activity, and left when that ends. */
  readonly joinedBy: 'app' | 'activity'
  /** Nanoseconds since 1970 of the last message that was dealt with, in decimal: what the device resumes from. */
  readonly seenNs: string
  /** Newest `aps.timestamp` that was shown; what is older is not. 0 for none. */
  readonly shownTimestamp: number
}

export type ChannelKey = Pick<ListedChannel, 'environment' | 'bundleId' | 'channelId'>

/**
 * The channels of this device, in a file of their own. A change is seen at once, and is on disk when its promise
 * resolves; changes made while the disk is busy share the next write.
 */
export class ChannelList {
  readonly #channels = new Map<string, ListedChannel>()
  readonly #write: SharedWrite

  private constructor(files: DeviceFiles, channels: readonly ListedChannel[]) {
    for (const channel of channels) this.#channels.set(keyOf(channel), channel)
    this.#write = new SharedWrite(() => {
      const stored = { version: 1, channels: [...this.#channels.values()] }
      return replaceFile(files.channels, `${JSON.stringify(stored)}\n`)
    })
  }

  /** @throws DeviceError `STATE_UNREADABLE` */
  static async open(files: DeviceFiles): Promise<ChannelList> {
    const text = await readIfThere(files.channels)
    return new ChannelList(files, text === undefined ? [] : parse(text, files.channels))
  }

  get size(): number {
    return this.#channels.size
  }

  find(key: ChannelKey): ListedChannel | undefined {
    return this.#channels.get(keyOf(key))
  }

  all(environment: Environment): ListedChannel[] {
    return [...this.#channels.values()].filter((channel) => channel.environment === environment)
  }

  of(bundleId: string): ListedChannel[] {
    return [...this.#channels.values()].filter((channel) => channel.bundleId === bundleId)
  }

  /** A channel that is listed stays as it is. */
  add(key: ChannelKey, joinedBy: ListedChannel['joinedBy'], shownTimestamp = 0): Promise<void> {
    if (this.find(key)) return this.settled()
    const { environment, bundleId, channelId } = key
    const added = { environment, bundleId, channelId, joinedBy, seenNs: '0', shownTimestamp }
    this.#channels.set(keyOf(key), added)
    return this.#write.changed()
  }

  /** Nothing happens to a channel that is not listed. */
  advance(key: ChannelKey, to: Pick<ListedChannel, 'seenNs' | 'shownTimestamp'>): Promise<void> {
    const known = this.find(key)
    if (!known) return this.settled()
    this.#channels.set(keyOf(key), { ...known, ...to })
    return this.#write.changed()
  }

  remove(...keys: readonly ChannelKey[]): Promise<void> {
    const removed = keys.filter((key) => this.#channels.delete(keyOf(key)))
    return removed.length === 0 ? this.settled() : this.#write.changed()
  }

  /** Resolves when nothing is being written any more. */
  settled(): Promise<void> {
    return this.#write.settled()
  }
}

function keyOf({ environment, bundleId, channelId }: ChannelKey): string {
  return `${environment} ${bundleId} ${channelId}`
}

function parse(text: string, file: string): readonly ListedChannel[] {
  let stored: { version?: unknown; channels?: unknown } | undefined
  try {
    stored = JSON.parse(text) as typeof stored
  } catch (cause) {
    throw damaged(file, cause)
  }
  const channels = stored?.channels
  if (stored?.version === 1 && Array.isArray(channels) && channels.every(isListedChannel)) return channels
  throw damaged(file)
}

function isListedChannel(value: unknown): value is ListedChannel {
  const channel = (value ?? {}) as { readonly [K in keyof ListedChannel]?: unknown }
  return (
    isEnvironment(channel.environment) &&
    typeof channel.bundleId === 'string' &&
    typeof channel.channelId === 'string' &&
    isChannelId(channel.channelId) &&
    (channel.joinedBy === 'app' || channel.joinedBy === 'activity') &&
    typeof channel.seenNs === 'string' &&
    /^\d{1,20}$/.test(channel.seenNs) &&
    typeof channel.shownTimestamp === 'number'
  )
}

function damaged(file: string, cause?: unknown): DeviceError {
  return new DeviceError(
    'STATE_UNREADABLE',
    `The list of channels ${file} is damaged.`,
    'Restore it from a copy, or delete it: the apps then subscribe anew.',
    cause,
  )
}
