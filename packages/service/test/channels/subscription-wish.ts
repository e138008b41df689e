import { encodeChannelSubscription } from '@carillon/wire'
import { bundleId } from '../memory-authority.ts'

/** What a device wants to listen to. */
export interface Wish {
  /** By channel id in base64, the time of the last message that the device has. */
  readonly subscribe?: Readonly<Record<string, bigint>>
  readonly unsubscribe?: readonly string[]
  readonly replace?: boolean
  readonly topic?: string
}

/** The record in which a device says it. */
export function subscriptionOf({
  subscribe = {},
  unsubscribe = [],
  replace = false,
  topic = bundleId,
}: Wish): Uint8Array {
  const mark = (id: string, lastMessageNs: bigint) => ({ channelId: channelIdBytesOf(id), lastMessageNs })
  return encodeChannelSubscription({
    replace,
    topics: [
      {
        topic,
        subscribe: Object.entries(subscribe).map(([id, lastMessageNs]) => mark(id, lastMessageNs)),
        unsubscribe: unsubscribe.map((id) => mark(id, 0n)),
      },
    ],
  })
}

export function channelIdBytesOf(id: string): Uint8Array {
  return new Uint8Array(Buffer.from(id, 'base64'))
}
