/**
 * A client that keeps streams in flight, a promise per push: `node bench/client.ts PORT [IN_FLIGHT] [SECONDS]`.
 * It prints requests a second and the CPU seconds per 100,000.
 */
import { randomBytes } from 'node:crypto'
import { ClientConnection, connect, type HeaderList } from '../src/index.ts'

const [port, inFlight = '1000', seconds = '5'] = process.argv.slice(2)

interface Push {
  resolve(status: number): void
  reject(error: Error): void
}

const waiting: (() => void)[] = []
const connection: ClientConnection<Push> = new ClientConnection<Push>(
  {},
  {
    onResponse: (push, status) => push.resolve(status),
    onReset: (push, code) => push.reject(new Error(`reset ${code}`)),
    onRefused: (push) => push.reject(new Error('refused')),
    onCapacity: () => {
      while (connection.availableStreams > 0 && waiting.length > 0) waiting.pop()!()
    },
    onGoaway: (code, data) => console.error('goaway', code, Buffer.from(data).toString()),
    onEnd: (reason, unanswered) => {
      console.error(`connection ended: ${reason.kind} ${reason.message}`)
      for (const push of unanswered) push.reject(new Error(reason.message))
    },
  },
)
const transport = connect({ host: '127.0.0.1', port: Number(port), rejectUnauthorized: false }, connection)

const tokens = Array.from({ length: 1000 }, () => randomBytes(32).toString('hex'))
const jwt = `bearer ${randomBytes(120).toString('base64url')}`
const body = Buffer.from(
  JSON.stringify({ aps: { alert: { title: 'Hello', body: 'A message of usual size' }, badge: 1 } }),
)
const headersFor = (token: string): HeaderList => [
  ...[
    ':method',
    'POST',
    ':scheme',
    'https',
    ':path',
    `/3/device/${token}`,
    ':authority',
    'api.push.apple.com',
  ],
  ...[
    'authorization',
    jwt,
    'apns-topic',
    'com.example.app',
    'apns-push-type',
    'alert',
    'apns-priority',
    '10',
  ],
  ...['apns-expiration', '0'],
]

const send = (token: string): Promise<number> =>
  new Promise<number>((resolve, reject) => {
    const push = { resolve, reject }
    const headers = headersFor(token)
    if (connection.request(headers, body, push) < 0) {
      waiting.push(() => connection.request(headers, body, push))
    }
  })

let done = 0
let stop = false
const worker = async (first: number): Promise<void> => {
  for (let at = first; !stop; at += 1) {
    const status = await send(tokens[at % tokens.length]!)
    if (status !== 200) throw new Error(`status ${status}`)
    done += 1
  }
}

const workers = Array.from({ length: Number(inFlight) }, (_, at) => worker(at))
await new Promise((resolve) => setTimeout(resolve, 1000))
const before = { done, at: performance.now(), cpu: process.cpuUsage() }
await new Promise((resolve) => setTimeout(resolve, Number(seconds) * 1000))
const count = done - before.done
const elapsed = (performance.now() - before.at) / 1000
const cpu = process.cpuUsage(before.cpu)
const cpuSeconds = (cpu.user + cpu.system) / 1e6
console.log(
  `client: ${Math.round(count / elapsed)} requests/s, ${((cpuSeconds / count) * 100_000).toFixed(3)} CPU s/100k, ${inFlight} in flight`,
)
stop = true
await Promise.all(workers)
connection.close()
transport.socket.once('close', () => process.exit(0))
