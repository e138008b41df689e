/*
 * Broadcast channels on the device side: the record in `channels.subscription` and the one in
 * `notification.channel`. Known from open-source clients only.
 *
 *   subscription: 1 version (always 1) · 2 repeated topic · 3 replace (bool)
 *   topic:        1 name · 2 repeated mark, subscribe · 3 repeated mark, unsubscribe
 *   mark:         1 channel id · 2 nanoseconds of the last message
 */
import { utf8Bytes, utf8Text } from '../bytes/text.ts'
import { ProtobufWriter, readProtobuf } from './protobuf.ts'

/** A channel, and the time of the last message seen of it: what a device resumes from. */
export interface ChannelMark {
  channelId: Uint8Array
  /** Nanoseconds since 1970; 0 where none was seen. */
  lastMessageNs: bigint
}

export interface ChannelTopic {
  topic: string
  subscribe: ChannelMark[]
  unsubscribe: ChannelMark[]
}

export interface ChannelSubscription {
  topics: ChannelTopic[]
  /** The topics replace what was subscribed before, rather than add to it. */
  replace: boolean
}

const subscriptionVersion = 1n

/** @throws WireError `value-out-of-range` */
export function encodeChannelMark({ channelId, lastMessageNs }: ChannelMark): Uint8Array {
  const writer = new ProtobufWriter().bytes(1, channelId)
  return (lastMessageNs === 0n ? writer : writer.varint(2, lastMessageNs)).finish()
}

/** @throws WireError `protobuf-invalid` */
export function decodeChannelMark(record: Uint8Array): ChannelMark {
  const mark: ChannelMark = { channelId: new Uint8Array(0), lastMessageNs: 0n }
  for (const entry of readProtobuf(record)) {
    if ('bytes' in entry) {
      if (entry.field === 1) mark.channelId = entry.bytes
    } else if (entry.field === 2) mark.lastMessageNs = entry.varint
  }
  return mark
}

/** @throws WireError `value-out-of-range` */
export function encodeChannelSubscription({ topics, replace }: ChannelSubscription): Uint8Array {
  const writer = new ProtobufWriter().varint(1, subscriptionVersion)
  for (const topic of topics) writer.bytes(2, encodeTopic(topic))
  return (replace ? writer.varint(3, 1n) : writer).finish()
}

/** @throws WireError `protobuf-invalid` */
export function decodeChannelSubscription(record: Uint8Array): ChannelSubscription {
  const subscription: ChannelSubscription = { topics: [], replace: false }
  for (const entry of readProtobuf(record)) {
    if ('bytes' in entry) {
      if (entry.field === 2) subscription.topics.push(decodeTopic(entry.bytes))
    } else if (entry.field === 3) subscription.replace = entry.varint !== 0n
  }
  return subscription
}

function encodeTopic({ topic, subscribe, unsubscribe }: ChannelTopic): Uint8Array {
  const writer = new ProtobufWriter().bytes(1, utf8Bytes(topic))
  for (const mark of subscribe) writer.bytes(2, encodeChannelMark(mark))
  for (const mark of unsubscribe) writer.bytes(3, encodeChannelMark(mark))
  return writer.finish()
}

function decodeTopic(record: Uint8Array): ChannelTopic {
  const topic: ChannelTopic = { topic: '', subscribe: [], unsubscribe: [] }
  for (const entry of readProtobuf(record)) {
    if (!('bytes' in entry)) continue
    if (entry.field === 1) topic.topic = utf8Text(entry.bytes)
    else if (entry.field === 2) topic.subscribe.push(decodeChannelMark(entry.bytes))
    else if (entry.field === 3) topic.unsubscribe.push(decodeChannelMark(entry.bytes))
  }
  return topic
}
