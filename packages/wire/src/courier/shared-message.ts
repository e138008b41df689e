import { encodeCourierMessage } from './codec.ts'
import type { CourierMessage } from './messages.ts'
import { type SharedPackedFrame, sharedPackedFrame } from './packed/encoder.ts'

/** A message for many connections: encoded when the first one needs it, once for each framing. */
export class SharedMessage {
  readonly #message: CourierMessage
  #tlv: Uint8Array | undefined
  #packed: SharedPackedFrame | undefined

  constructor(message: CourierMessage) {
    this.#message = message
  }

  /** @throws WireError as `encodeCourierMessage` */
  get tlv(): Uint8Array {
    this.#tlv ??= encodeCourierMessage(this.#message)
    return this.#tlv
  }

  /** @throws WireError as `PackedEncoder.encodeMessage` */
  get packed(): SharedPackedFrame {
    this.#packed ??= sharedPackedFrame(this.#message)
    return this.#packed
  }
}
