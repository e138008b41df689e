import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect, type TLSSocket } from 'node:tls'
import {
  CourierMessageReader,
  courierAlpn,
  courierPresence,
  encodeCourierMessage,
  encodeNonce,
  encodeSignature,
  topicHash,
} from '@carillon/wire'

/** What `make-material.ts` writes, with the port of the courier, for those who play its devices. */
export interface DevicesFile {
  readonly port: number
  readonly topic: string
  readonly keyPem: string
  /** DER in base64, one a device; they share a key. */
  readonly certificates: readonly string[]
}

interface LoadDeviceEvents {
  /** Told of each payload. */
  readonly received: (payload: Uint8Array) => void
  /** All that it asked for at the start was answered. */
  readonly registered: (device: LoadDevice) => void
  readonly lost: (error: Error) => void
}

/** One device: connects, gets its token and acknowledges what comes, a chunk's acknowledgements in one write. */
export class LoadDevice {
  readonly #fleet: LoadFleet
  readonly #events: LoadDeviceEvents
  readonly #socket: TLSSocket
  readonly #reader = new CourierMessageReader({ from: 'courier' })
  #token: Uint8Array | undefined

  /** @throws where the service ends the connection instead of registering the device */
  static open(
    fleet: LoadFleet,
    index: number,
    received: (payload: Uint8Array) => void = () => {},
  ): Promise<LoadDevice> {
    return new Promise((registered, lost) => {
      new LoadDevice(fleet, index, { received, registered, lost })
    })
  }

  private constructor(fleet: LoadFleet, index: number, events: LoadDeviceEvents) {
    this.#fleet = fleet
    this.#events = events
    this.#socket = connect({
      host: '127.0.0.1',
      port: fleet.file.port,
      rejectUnauthorized: false,
      ALPNProtocols: [courierAlpn.securityV3],
    })
    this.#socket.setNoDelay(true)
    this.#socket.on('data', (chunk) => this.#receive(chunk))
    this.#socket.on('error', () => {
      // Counted by its close.
    })
    this.#socket.on('close', () => {
      events.lost(new Error(`The service ended the connection of device ${index}.`))
    })
    this.#socket.on('secureConnect', () => this.#socket.write(fleet.connectFrame(index)))
  }

  get token(): Uint8Array {
    return this.#token!
  }

  end(): void {
    this.#socket.end()
  }

  #receive(chunk: Uint8Array): void {
    this.#reader.push(chunk)
    const acks: Uint8Array[] = []
    for (let message = this.#reader.next(); message !== undefined; message = this.#reader.next()) {
      if (message.type === 'notification') {
        this.#events.received(message.payload)
        // A broadcast is for everybody and not acknowledged.
        if (message.channel !== undefined) continue
        acks.push(encodeCourierMessage({ type: 'ack', id: message.id, status: 0 }))
      } else if (message.type === 'connected') {
        this.#socket.write(this.#fleet.registerFrames)
      } else if (message.type === 'appTokenReply') {
        this.#token = message.token
        if (message.token !== undefined && !this.#fleet.subscribes) this.#events.registered(this)
      } else if (message.type === 'channelsReply') {
        this.#events.registered(this)
      }
    }
    if (acks.length > 0) this.#socket.write(acks.length === 1 ? acks[0]! : Buffer.concat(acks))
  }
}

/** What all devices of a devices file share. */
export class LoadFleet {
  readonly file: DevicesFile
  readonly subscribes: boolean
  readonly registerFrames: Uint8Array
  readonly #key: KeyObject

  /** @param subscription to channels, of each device, see `encodeChannelSubscription` */
  constructor(file: string, subscription?: Uint8Array) {
    this.subscribes = subscription !== undefined
    this.file = JSON.parse(readFileSync(file, 'utf8'))
    this.#key = createPrivateKey(this.file.keyPem)
    const hash = topicHash(this.file.topic)
    this.registerFrames = Buffer.concat([
      encodeCourierMessage({ type: 'filter', enabled: [hash] }),
      encodeCourierMessage({ type: 'appTokenRequest', topicHash: hash }),
      ...(subscription === undefined
        ? []
        : [encodeCourierMessage({ type: 'channels', id: 1, subscription })]),
    ])
  }

  get size(): number {
    return this.file.certificates.length
  }

  /** Who a device is, signed now. */
  connectFrame(index: number): Uint8Array {
    const random = new Uint8Array(8)
    new DataView(random.buffer).setUint32(0, index)
    const nonce = encodeNonce({ timeMs: Date.now(), random })
    const signature = encodeSignature({
      scheme: 'ecdsa-p256-sha256',
      signature: sign('sha256', nonce, this.#key),
    })
    const certificate = Buffer.from(this.file.certificates[index]!, 'base64')
    const state = courierPresence.present
    return encodeCourierMessage({ type: 'connect', state, certificates: [certificate], nonce, signature })
  }
}
