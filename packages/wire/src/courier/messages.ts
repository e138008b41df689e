/*
 * Every message of the courier protocol, one row per field. Encoder, decoder, types and the documentation's
 * table all follow from here. Apple publishes nothing about this protocol: docs/protocols/courier.md says
 * where each fact comes from. Numbers are hexadecimal as in all public write-ups.
 *
 *   frame:  command u8 | length u32 | fields
 *   field:  id u8 | length u16 | value
 *
 * Field ids from 0x60 up are never used by Apple's clients as far as anybody has seen. They are reserved for
 * extensions that both ends of ours have agreed on in `connect` and `connected`, see `courierExtensions`.
 */
import type { CourierSender, MessageRow, MessageShape } from './message-row.ts'

/** First field id of our own negotiated extensions. */
export const courierExtensionFieldMin = 0x60

export const courierMessages = {
  connect: {
    command: 0x07,
    from: 'device',
    fields: {
      /** Base token, 32 bytes; absent on the first connect, never empty. */
      token: { id: 0x01, kind: 'bytes', cached: true },
      /** See `courierPresence`: 1 present, 2 withdraw (then only token and state are given). */
      state: { id: 0x02, kind: 'u8' },
      /** Bits, see `courierConnectFlags`. */
      flags: { id: 0x05, kind: 'u32' },
      /** See `courierInterface`. */
      interface: { id: 0x06, kind: 'u8' },
      activeInterval: { id: 0x07, kind: 'u32' },
      /** "WiFi", or mobile country and network code. */
      carrier: { id: 0x08, kind: 'text' },
      osVersion: { id: 0x09, kind: 'text' },
      osBuild: { id: 0x0a, kind: 'text' },
      model: { id: 0x0b, kind: 'text' },
      /** Device certificate and its issuers, DER. */
      certificates: { id: 0x0c, kind: 'bytes', many: true },
      /** 17 bytes, see `decodeNonce`. */
      nonce: { id: 0x0d, kind: 'bytes' },
      /** Two tag bytes and a signature of the nonce, see `decodeSignature`. */
      signature: { id: 0x0e, kind: 'bytes' },
      protocolVersion: { id: 0x10, kind: 'u16' },
      redirectCount: { id: 0x11, kind: 'u16' },
      dnsMs: { id: 0x13, kind: 'u16' },
      tlsMs: { id: 0x14, kind: 'u16' },
      /** At most ten. */
      failures: { id: 0x15, kind: 'failure', many: true },
      lastConnectedMs: { id: 0x16, kind: 'milliseconds' },
      tcpMs: { id: 0x19, kind: 'u16' },
      disconnectReason: { id: 0x1a, kind: 'u32' },
      hostCertificate: { id: 0x1d, kind: 'bytes' },
      /** Ours: bits of the extensions that the device offers, see `courierExtensions`. */
      extensions: { id: 0x60, kind: 'u32' },
    },
  },
  tokenPresence: {
    command: 0x07,
    from: 'courier',
    fields: {
      token: { id: 0x01, kind: 'bytes', required: true, cached: true },
      status: { id: 0x02, kind: 'u8' },
    },
  },
  connected: {
    command: 0x08,
    from: 'courier',
    fields: {
      /** See `courierConnectStatus`. */
      status: { id: 0x01, kind: 'u8', required: true },
      /** The client leaves and dials this host. */
      redirectHost: { id: 0x02, kind: 'text' },
      /** Base token, 32 bytes; may be absent when unchanged. */
      token: { id: 0x03, kind: 'bytes', cached: true },
      messageBytesMax: { id: 0x04, kind: 'u16' },
      /** Always seen as 2, meaning unknown; some clients fail without it. */
      unexplained: { id: 0x05, kind: 'u16' },
      /** Bits, see `courierCapabilities`. */
      capabilities: { id: 0x06, kind: 'u32' },
      /** The clock of the courier, given when the time in the nonce was wrong. */
      nonceTimeMs: { id: 0x07, kind: 'milliseconds' },
      largeMessageBytesMax: { id: 0x08, kind: 'u16' },
      redirectReason: { id: 0x09, kind: 'u32' },
      serverTimeMs: { id: 0x0a, kind: 'milliseconds' },
      region: { id: 0x0b, kind: 'text' },
      timestamp: { id: 0x0c, kind: 'u64' },
      /** Seconds; Apple's daemon reads the three only in the packed framing. */
      keepAliveSecondsMin: { id: 0x10, kind: 'u16' },
      keepAliveSeconds: { id: 0x11, kind: 'u16' },
      keepAliveSecondsMax: { id: 0x12, kind: 'u16' },
      clientAddress: { id: 0x13, kind: 'text' },
      experiment: { id: 0x14, kind: 'text' },
      pskStatus: { id: 0x16, kind: 'u8' },
      /** Ours: which of the offered extensions hold on this connection; absent where none was offered. */
      extensions: { id: 0x60, kind: 'u32' },
    },
  },
  filter: {
    command: 0x09,
    from: 'device',
    fields: {
      token: { id: 0x01, kind: 'bytes', cached: true },
      /** Topic hashes of 20 bytes. A filter replaces the whole set before it; none enabled means nothing. */
      enabled: { id: 0x02, kind: 'bytes', many: true, cached: true },
      ignored: { id: 0x03, kind: 'bytes', many: true, cached: true },
      opportunistic: { id: 0x04, kind: 'bytes', many: true, cached: true },
      paused: { id: 0x05, kind: 'bytes', many: true, cached: true },
      nonWaking: { id: 0x06, kind: 'bytes', many: true, cached: true },
      /** Used in place of the five above by packed clients whose value table is too small. */
      enabledMore: { id: 0x07, kind: 'bytes', many: true },
      ignoredMore: { id: 0x08, kind: 'bytes', many: true },
      opportunisticMore: { id: 0x09, kind: 'bytes', many: true },
      pausedMore: { id: 0x0a, kind: 'bytes', many: true },
      nonWakingMore: { id: 0x0b, kind: 'bytes', many: true },
      version: { id: 0x0c, kind: 'u64' },
      /** Ours, only where `courierExtensions.resume` was agreed: `tracingId`s that the device has dealt with. */
      handled: { id: 0x63, kind: 'bytes', many: true },
    },
  },
  filterReply: {
    command: 0x09,
    from: 'courier',
    fields: {
      token: { id: 0x01, kind: 'bytes', cached: true },
      version: { id: 0x02, kind: 'u64' },
      status: { id: 0x03, kind: 'u8' },
    },
  },
  notification: {
    command: 0x0a,
    from: 'courier',
    fields: {
      /** The addressed token: an app's, or the base token. */
      token: { id: 0x01, kind: 'bytes', required: true, cached: true },
      topicHash: { id: 0x02, kind: 'bytes', required: true, cached: true },
      /** JSON. */
      payload: { id: 0x03, kind: 'bytes', required: true },
      /** Names the message within this connection only. */
      id: { id: 0x04, kind: 'u32', required: true },
      /** Seconds since 1970. */
      expirySeconds: { id: 0x05, kind: 'u32' },
      /** Nanoseconds since 1970. */
      sentAtNs: { id: 0x06, kind: 'u64' },
      /** 0; old descriptions call it storage flags, Apple's daemon ignores it. */
      legacyFlags: { id: 0x07, kind: 'u8' },
      /** Bits, see `courierStorageFlags`. */
      storageFlags: { id: 0x09, kind: 'u8' },
      /** 10, 5 or 1. */
      priority: { id: 0x0d, kind: 'u8' },
      baseToken: { id: 0x0f, kind: 'bytes' },
      /** A UUID of 16 bytes. */
      tracingId: { id: 0x15, kind: 'bytes' },
      correlationId: { id: 0x18, kind: 'bytes' },
      apnFlags: { id: 0x1a, kind: 'u32' },
      pushType: { id: 0x1c, kind: 'u16' },
      /** See `decodeChannelMark`. */
      channel: { id: 0x1d, kind: 'bytes' },
    },
  },
  upload: {
    command: 0x0a,
    from: 'device',
    fields: {
      /** 20 bytes, where a notification has its token of 32. */
      topicHash: { id: 0x01, kind: 'bytes', required: true, cached: true },
      token: { id: 0x02, kind: 'bytes', required: true, cached: true },
      payload: { id: 0x03, kind: 'bytes', required: true },
      id: { id: 0x04, kind: 'u32', required: true },
      lastRoundTripMs: { id: 0x19, kind: 'u16' },
    },
  },
  ack: {
    command: 0x0b,
    from: 'device',
    fields: {
      id: { id: 0x04, kind: 'u32', required: true },
      /** See `courierAckStatus`. */
      status: { id: 0x08, kind: 'u8' },
      /** The message's token or the base token; clients differ, so match by id. */
      token: { id: 0x01, kind: 'bytes', cached: true },
    },
  },
  uploadAck: {
    command: 0x0b,
    from: 'courier',
    fields: {
      id: { id: 0x04, kind: 'u32', required: true },
      status: { id: 0x08, kind: 'u8' },
      timestamp: { id: 0x06, kind: 'u64' },
    },
  },
  keepAlive: {
    command: 0x0c,
    from: 'device',
    fields: {
      carrier: { id: 0x01, kind: 'text', cached: true },
      osVersion: { id: 0x02, kind: 'text', cached: true },
      osBuild: { id: 0x03, kind: 'text', cached: true },
      model: { id: 0x04, kind: 'text', cached: true },
      intervalMinutes: { id: 0x05, kind: 'decimal', cached: true },
      /** Asks for a delayed reply. Unverified against Apple: seconds. */
      replyAfter: { id: 0x06, kind: 'decimal', cached: true },
      usesServerStatistics: { id: 0x08, kind: 'u16' },
      algorithmState: { id: 0x09, kind: 'u8' },
      algorithmSubstate: { id: 0x0a, kind: 'u8' },
    },
  },
  keepAliveReply: {
    command: 0x0d,
    from: 'courier',
    fields: {
      status: { id: 0x01, kind: 'u8' },
      delay: { id: 0x02, kind: 'u32' },
    },
  },
  noStorage: {
    command: 0x0e,
    from: 'courier',
    fields: { token: { id: 0x01, kind: 'bytes' } },
  },
  flush: {
    command: 0x0f,
    from: 'both',
    fields: {
      /** How many bytes of padding the reply should carry. */
      wantedBytes: { id: 0x01, kind: 'u16' },
      padding: { id: 0x02, kind: 'bytes' },
    },
  },
  flushReply: {
    command: 0x10,
    from: 'both',
    fields: { padding: { id: 0x02, kind: 'bytes' } },
  },
  appTokenRequest: {
    command: 0x11,
    from: 'device',
    fields: {
      baseToken: { id: 0x01, kind: 'bytes', cached: true },
      topicHash: { id: 0x02, kind: 'bytes', required: true, cached: true },
      appId: { id: 0x03, kind: 'u16' },
      webPushType: { id: 0x04, kind: 'u16' },
      webPushTtlSeconds: { id: 0x05, kind: 'u32' },
      vapidKeyHash: { id: 0x06, kind: 'bytes' },
      /** Ours, only where `courierExtensions.installation` was agreed: 8 bytes, new with each installation. */
      installation: { id: 0x60, kind: 'bytes' },
    },
  },
  appTokenReply: {
    command: 0x12,
    from: 'courier',
    fields: {
      /** See `courierAckStatus`. */
      status: { id: 0x01, kind: 'u8', required: true },
      token: { id: 0x02, kind: 'bytes' },
      /** The hash of the request, echoed: clients match the reply by it. */
      topicHash: { id: 0x03, kind: 'bytes' },
      appId: { id: 0x04, kind: 'u16' },
    },
  },
  activeInterval: {
    command: 0x13,
    from: 'device',
    fields: { interval: { id: 0x01, kind: 'u32' } },
  },
  state: {
    command: 0x14,
    from: 'device',
    fields: {
      /** See `courierActivity`: 1 active, 2 inactive. */
      state: { id: 0x01, kind: 'u8', required: true },
      interval: { id: 0x02, kind: 'u32' },
      /** Ours: bits, see `courierPower`; sent where the extension `power` was agreed on. */
      power: { id: 0x61, kind: 'u8' },
    },
  },
  transportAck: { command: 0x15, from: 'device', fields: {} },
  keepAliveReceipt: { command: 0x16, from: 'courier', fields: {} },
  redirect: {
    command: 0x17,
    from: 'courier',
    fields: {
      host: { id: 0x02, kind: 'text', required: true },
      reason: { id: 0x09, kind: 'u32' },
    },
  },
  taskControl: {
    command: 0x18,
    from: 'both',
    fields: {
      id: { id: 0x01, kind: 'u32' },
      blob: { id: 0x02, kind: 'bytes' },
      /** Present in a reply. */
      status: { id: 0x03, kind: 'u8' },
    },
  },
  taskNotification: {
    command: 0x19,
    from: 'both',
    fields: {
      id: { id: 0x01, kind: 'u32' },
      blob: { id: 0x02, kind: 'bytes' },
      /** Present in a reply. */
      status: { id: 0x03, kind: 'u8' },
    },
  },
  tracingAck: {
    command: 0x1b,
    from: 'device',
    fields: {
      topicHash: { id: 0x01, kind: 'bytes', cached: true },
      tracingId: { id: 0x02, kind: 'bytes' },
      status: { id: 0x03, kind: 'u8' },
      token: { id: 0x04, kind: 'bytes', cached: true },
      /** Ours: what became of the notification, one of `courierReports`. Only where `reports` was agreed on. */
      report: { id: 0x62, kind: 'u8' },
    },
  },
  channels: {
    command: 0x1d,
    from: 'device',
    fields: {
      id: { id: 0x01, kind: 'u32', required: true },
      /** See `decodeChannelSubscription`. */
      subscription: { id: 0x02, kind: 'bytes', required: true },
      baseToken: { id: 0x03, kind: 'bytes' },
    },
  },
  channelsReply: {
    command: 0x1d,
    from: 'courier',
    fields: {
      id: { id: 0x01, kind: 'u32', required: true },
      baseToken: { id: 0x03, kind: 'bytes' },
      status: { id: 0x04, kind: 'u8' },
      timeout: { id: 0x05, kind: 'u32' },
    },
  },
  channelUpdate: {
    command: 0x1e,
    from: 'courier',
    fields: {
      // Unverified against Apple: no source gives the width of this id; the other pub/sub ids are u32.
      id: { id: 0x01, kind: 'u32' },
      payload: { id: 0x02, kind: 'bytes', required: true },
      token: { id: 0x03, kind: 'bytes' },
      timestamp: { id: 0x04, kind: 'u64' },
    },
  },
  presence: {
    command: 0x20,
    from: 'device',
    fields: {
      id: { id: 0x01, kind: 'u32' },
      token: { id: 0x02, kind: 'bytes' },
      salt: { id: 0x03, kind: 'u64' },
      flags: { id: 0x04, kind: 'u32' },
      timestamp: { id: 0x05, kind: 'u64' },
    },
  },
  presenceReply: {
    command: 0x20,
    from: 'courier',
    fields: {
      id: { id: 0x01, kind: 'u32' },
      token: { id: 0x02, kind: 'bytes' },
      status: { id: 0x03, kind: 'u8' },
    },
  },
  filterUpdate: {
    command: 0x21,
    from: 'courier',
    fields: {
      token: { id: 0x01, kind: 'bytes' },
      version: { id: 0x02, kind: 'u64' },
      status: { id: 0x03, kind: 'u8' },
    },
  },
  keepAliveRequest: { command: 0x22, from: 'courier', fields: {} },
  /** Ours, only where `courierExtensions.closeReason` was agreed: the last message before the courier closes. */
  closing: {
    command: 0x60,
    from: 'courier',
    fields: {
      /** One word or a few, for logs. */
      reason: { id: 0x64, kind: 'text', required: true },
      /** How long to stay away; the device adds its own jitter. Absent: as after any lost connection. */
      retryAfterMs: { id: 0x65, kind: 'u32' },
    },
  },
} as const satisfies Record<string, MessageRow>

type Table = typeof courierMessages

/** The readable name of a message, which is its `type`. */
export type CourierMessageType = keyof Table

/** One message by its type: `MessageOf<'notification'>`. */
export type MessageOf<T extends CourierMessageType> = { [K in T]: MessageShape<K, Table[K]> }[T]

/** Any message that can be encoded. */
export type CourierMessage = MessageOf<CourierMessageType>

type TypesFrom<S extends CourierSender> = {
  [K in CourierMessageType]: Table[K]['from'] extends S | 'both' ? K : never
}[CourierMessageType]

/** A frame whose command this direction does not know: count it and go on. */
export interface UnknownMessage {
  type: 'unknown'
  command: number
  /** The fields as received. */
  body: Uint8Array
}

/** A frame of a known command without a field that it means nothing without: count it and go on. */
export interface UnusableMessage {
  type: 'unusable'
  command: number
  message: CourierMessageType
  /** Name of the missing field; a field of the wrong width counts as missing. */
  missing: string
}

export type MessageFromDevice = MessageOf<TypesFrom<'device'>> | UnknownMessage | UnusableMessage
export type MessageFromCourier = MessageOf<TypesFrom<'courier'>> | UnknownMessage | UnusableMessage

/** What a decoder gives that reads what `S` sends. */
export type MessageFrom<S extends CourierSender> = S extends 'device' ? MessageFromDevice : MessageFromCourier
