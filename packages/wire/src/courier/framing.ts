import { encodeCourierMessage } from './codec.ts'
import { courierAlpn } from './codes.ts'
import { CourierMessageReader } from './message-reader.ts'
import type { CourierSender } from './message-row.ts'
import type { CourierMessage, MessageFrom } from './messages.ts'
import { packedTableSizes } from './packed/alpn.ts'
import { PackedEncoder } from './packed/encoder.ts'
import { PackedMessageReader } from './packed/message-reader.ts'
import type { SharedMessage } from './shared-message.ts'

/** How one connection frames its messages, both ways. Messages are sent in the order in which they were encoded. */
export interface CourierFraming<S extends CourierSender> {
  /** Longest frame accepted, header included; may be raised once the peer is authenticated. */
  frameBytesMax: number
  readonly isPacked: boolean
  push(chunk: Uint8Array): void
  /** The next message, `undefined` until more bytes arrive. @throws WireError close the connection */
  next(): MessageFrom<S> | undefined
  /** @throws WireError `value-out-of-range`, `field-too-long`, `packed-invalid` */
  encode(message: CourierMessage): Uint8Array
  /** The same for a message that goes to many connections and is encoded once for all of them. */
  encodeShared(message: SharedMessage): Uint8Array
}

/**
 * The framing that an ALPN name stands for: packed for `apns-pack-v1` with or without table sizes, else TLV.
 *
 * @param from who writes what is read: a courier reads with `device`
 * @param alpn as negotiated; '' or false for none
 */
export function courierFraming<S extends CourierSender>(
  from: S,
  alpn: string | false | null,
  frameBytesMax?: number,
): CourierFraming<S> {
  const sizes = alpn ? packedTableSizes(alpn) : undefined
  const options = frameBytesMax === undefined ? { from } : { from, frameBytesMax }
  if (sizes === undefined) return new TlvFraming(options)
  const { fromDeviceBytes, fromCourierBytes } = sizes
  const [reads, writes] =
    from === 'device' ? [fromDeviceBytes, fromCourierBytes] : [fromCourierBytes, fromDeviceBytes]
  return new PackedFraming({ ...options, tableBytesMax: reads }, writes)
}

/**
 * The name that a courier answers: the packed framing where it is offered in a form that we agree to, else
 * `apns-security-v3`; undefined where neither is.
 */
export function chosenCourierAlpn(offered: readonly string[]): string | undefined {
  const packed = offered.find((name) => packedTableSizes(name) !== undefined)
  return packed ?? offered.find((name) => name === courierAlpn.securityV3)
}

class TlvFraming<S extends CourierSender> extends CourierMessageReader<S> implements CourierFraming<S> {
  get isPacked(): boolean {
    return false
  }

  encode(message: CourierMessage): Uint8Array {
    return encodeCourierMessage(message)
  }

  encodeShared(message: SharedMessage): Uint8Array {
    return message.tlv
  }
}

class PackedFraming<S extends CourierSender> extends PackedMessageReader<S> implements CourierFraming<S> {
  readonly #encoder: PackedEncoder

  constructor(reader: { from: S; frameBytesMax?: number; tableBytesMax: number }, writesBytesMax: number) {
    super(reader)
    this.#encoder = new PackedEncoder(writesBytesMax)
  }

  get isPacked(): boolean {
    return true
  }

  encode(message: CourierMessage): Uint8Array {
    return this.#encoder.encodeMessage(message)
  }

  encodeShared(message: SharedMessage): Uint8Array {
    return this.#encoder.share(message.packed)
  }
}
