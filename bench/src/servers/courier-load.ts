import { createPrivateKey, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect, type TLSSocket } from 'node:tls'
import { parseArgs } from 'node:util'
import {
  CourierMessageReader,
  courierAlpn,
  courierPresence,
  encodeCourierMessage,
  encodeNonce,
  encodeSignature,
  topicHash,
} from '@carillon/wire'

/**
 * Many plain devices in one process: each connects over TLS, gets its token and acknowledges what comes. Light on
 * purpose, so that the courier is what is measured. Prints a JSON line when all have their token, and one on SIGTERM or
 * when `--expect` notifications have come.
 *
 *     node bench/src/servers/courier-load.ts --devices-file DIR/devices.json
 */
const { values } = parseArgs({
  options: {
    'devices-file': { type: 'string' },
    /** Connections that shake hands at the same time. */
    dialing: { type: 'string', default: '16' },
    /** Ends when so many notifications have come; 0 for never. */
    expect: { type: 'string', default: '0' },
  },
})
if (values['devices-file'] === undefined) throw new Error('--devices-file FILE says which devices to play')
const { port, topic, keyPem, certificates } = JSON.parse(readFileSync(values['devices-file'], 'utf8')) as {
  port: number
  topic: string
  keyPem: string
  certificates: string[]
}
const expected = Number(values.expect)
const key = createPrivateKey(keyPem)
const hash = topicHash(topic)
const registerFrames = Buffer.concat([
  encodeCourierMessage({ type: 'filter', enabled: [hash] }),
  encodeCourierMessage({ type: 'appTokenRequest', topicHash: hash }),
])

let registered = 0
let notifications = 0
let lost = 0
/** From the time that the service stamps into each notification to here: one clock, one machine. */
const latencies: number[] = []
let startUsage = process.resourceUsage()
const sockets: TLSSocket[] = []

/** One device: its acknowledgements of a chunk leave in one write. */
class LoadDevice {
  readonly #socket: TLSSocket
  readonly #reader = new CourierMessageReader({ from: 'courier' })
  readonly #registered: () => void

  constructor(socket: TLSSocket, registered: () => void) {
    this.#socket = socket
    this.#registered = registered
  }

  receive(chunk: Uint8Array): void {
    this.#reader.push(chunk)
    const acks: Uint8Array[] = []
    for (let message = this.#reader.next(); message !== undefined; message = this.#reader.next()) {
      if (message.type === 'notification') {
        notifications++
        if (message.sentAtNs !== undefined) latencies.push(Date.now() - Number(message.sentAtNs / 1_000_000n))
        acks.push(encodeCourierMessage({ type: 'ack', id: message.id, status: 0 }))
      } else if (message.type === 'connected') {
        this.#socket.write(registerFrames)
      } else if (message.type === 'appTokenReply') {
        this.#registered()
      }
    }
    if (acks.length > 0) this.#socket.write(acks.length === 1 ? acks[0]! : Buffer.concat(acks))
    if (expected > 0 && notifications >= expected) finish()
  }
}

function dial(index: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({
      host: '127.0.0.1',
      port,
      rejectUnauthorized: false,
      ALPNProtocols: [courierAlpn.securityV3],
    })
    sockets.push(socket)
    const device = new LoadDevice(socket, () => {
      registered++
      resolve()
    })
    socket.setNoDelay(true)
    socket.on('data', (chunk) => device.receive(chunk))
    socket.on('error', () => {
      // Counted by its close.
    })
    socket.on('close', () => {
      lost++
      resolve()
    })
    socket.on('secureConnect', () => {
      const random = new Uint8Array(8)
      new DataView(random.buffer).setUint32(0, index)
      const nonce = encodeNonce({ timeMs: Date.now(), random })
      const signature = encodeSignature({
        scheme: 'ecdsa-p256-sha256',
        signature: sign('sha256', nonce, key),
      })
      const certificate = Buffer.from(certificates[index]!, 'base64')
      const state = courierPresence.present
      socket.write(
        encodeCourierMessage({ type: 'connect', state, certificates: [certificate], nonce, signature }),
      )
    })
  })
}

let isFinished = false
function finish(): void {
  if (isFinished) return
  isFinished = true
  const usage = process.resourceUsage()
  latencies.sort((left, right) => left - right)
  print({
    event: 'received',
    notifications,
    lost,
    latencyMsP50: latencies[latencies.length >> 1],
    latencyMsP99: latencies[Math.floor(latencies.length * 0.99)],
    userSeconds: (usage.userCPUTime - startUsage.userCPUTime) / 1e6,
    systemSeconds: (usage.systemCPUTime - startUsage.systemCPUTime) / 1e6,
    rssKiBMax: usage.maxRSS,
  })
  // What was acknowledged last leaves before the connections end.
  for (const socket of sockets) socket.end()
}
process.once('SIGTERM', finish)

const startMs = performance.now()
let next = 0
await Promise.all(
  Array.from({ length: Number(values.dialing) }, async () => {
    while (next < certificates.length) await dial(next++)
  }),
)
const seconds = (performance.now() - startMs) / 1000
print({ event: 'registered', devices: registered, lost, connectsPerSecond: Math.round(registered / seconds) })
startUsage = process.resourceUsage()

function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
