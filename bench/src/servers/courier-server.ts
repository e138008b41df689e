import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { openDatabase } from '@carillon/database'
import { LocalBus } from '../../../packages/service/src/bus/local-bus.ts'
import { startCourier } from '../../../packages/service/src/courier/courier.ts'
import type { AcceptOutcome } from '../../../packages/service/src/delivery/delivery.ts'
import { shortTimer } from '../../../packages/service/src/delivery/drivers/short-timer.ts'
import type { Mailbox } from '../../../packages/service/src/delivery/mailbox.ts'
import { openDelivery } from '../../../packages/service/src/delivery/open-delivery.ts'
import { startGateway } from '../../../packages/service/src/gateway/start-gateway.ts'
import { migrations } from '../../../packages/service/src/migrations.ts'
import { openRegistry } from '../../../packages/service/src/registry/open-registry.ts'
import type { TokenRecord } from '../../../packages/service/src/registry/registry.ts'
import { openMessageStore } from '../../../packages/service/src/store/database-message-store.ts'
import { DeviceAuthority } from '../../../packages/service/test/courier/device-certificates.ts'
import {
  bundleId,
  keyId,
  MemoryAuthority,
  newKey,
  signToken,
  teamId,
} from '../../../packages/service/test/memory-authority.ts'

/**
 * The push service with its courier, to be driven from outside: `courier-load.ts` plays its devices, and a provider
 * (or this process itself, with `--deliver`) sends. Prints one JSON line when it is ready; writes `devices.json`
 * for the load. On SIGTERM it prints what it has used, and ends.
 *
 *     node bench/src/servers/courier-server.ts --data DIR --devices 1000
 *
 * With `--deliver COUNT` it waits until all devices have a token and then accepts COUNT notifications itself, with
 * `--in-flight` of them not yet accepted at a time: the device leg alone, without HTTP/2. One line tells the result.
 */
const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    devices: { type: 'string', default: '1000' },
    deliver: { type: 'string', default: '0' },
    'in-flight': { type: 'string', default: '1000' },
    'payload-bytes': { type: 'string', default: '300' },
    port: { type: 'string', default: '0' },
    'http2-port': { type: 'string', default: '0' },
  },
})
if (values.data === undefined) throw new Error('--data DIR says where the database and the material go')
const dataDir = values.data
mkdirSync(dataDir, { recursive: true, mode: 0o700 })
const deviceCount = Number(values.devices)

const now = (): number => Date.now()
const random = (bytes: number): Uint8Array => randomBytes(bytes)
const onTrouble = (sentence: string, cause: unknown): void => console.error(sentence, cause)

const authority = new MemoryAuthority()
const certificates = await DeviceAuthority.make(now())
const keys = newKey()
const server = await certificates.server()
const tls = { certPem: server.pem, keyPem: server.keyPem }
authority.deviceCaPem.push(...certificates.deviceCaPem)
authority.pushCaPem.push(certificates.root.pem)
authority.setApp(bundleId)
authority.setKey(keyId, keys.publicKey)

const database = await openDatabase({ engine: 'sqlite', file: join(dataDir, 'push.sqlite'), migrations })
const registry = openRegistry({ database, authority, now, random })
const store = await openMessageStore({ database })
const ticker = setInterval(() => store.tick(now()), 1000)
const bus = new LocalBus<Mailbox>()
const delivery = openDelivery({ store, bus, registry, authority, now, onTrouble, shortTimer })

/** Every token given out, which is what the provider needs. */
const tokens: TokenRecord[] = []
let allRegistered: () => void = () => {}
const whenAllRegistered = new Promise<void>((resolve) => {
  allRegistered = resolve
})
const noting = {
  enrolDevice: (deviceId: string) => registry.enrolDevice(deviceId),
  topicOf: (hash: Uint8Array) => registry.topicOf(hash),
  async issueToken(device: number, hash: Uint8Array, installation?: Uint8Array) {
    const record = await registry.issueToken(device, hash, installation)
    if (record !== undefined) tokens.push(record)
    if (tokens.length === deviceCount) allRegistered()
    return record
  },
}
const courier = await startCourier({
  host: '127.0.0.1',
  port: Number(values.port),
  tls,
  authority,
  registry: noting,
  delivery,
  now,
  onTrouble,
})
const gateway = await startGateway({
  environment: 'production',
  authority,
  registry,
  delivery,
  tls,
  host: '127.0.0.1',
  port: Number(values['http2-port']),
  now,
  random,
})

// One key for all: what is measured is the service, and making keys takes longer than making certificates.
const first = await certificates.device('bench-0')
const devices = [first.der, ...certificates.devicesOfKey(first.key, deviceCount - 1)]
const files = {
  devices: join(dataDir, 'devices.json'),
  ca: join(dataDir, 'ca.pem'),
  tokens: join(dataDir, 'tokens.txt'),
}
writeFileSync(
  files.devices,
  JSON.stringify({
    port: courier.address.port,
    topic: bundleId,
    keyPem: first.keyPem,
    certificates: devices.map((der) => Buffer.from(der).toString('base64')),
  }),
  { mode: 0o600 },
)
writeFileSync(files.ca, certificates.root.pem)
print({
  event: 'ready',
  courierPort: courier.address.port,
  port: gateway.port,
  topic: bundleId,
  teamId,
  keyId,
  signingKey: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }),
  providerToken: signToken(keys.privateKey, Math.floor(now() / 1000)),
  files,
})

let startUsage = process.resourceUsage()
process.once('SIGTERM', async () => {
  const { counters } = courier
  print({
    event: 'used',
    ...used(),
    courier: counters,
    delivery: delivery.counters,
    database: database.statistics(),
  })
  clearInterval(ticker)
  await gateway.close()
  await courier.close()
  await store.close()
  await database.close()
})

await whenAllRegistered
writeFileSync(files.tokens, tokens.map(({ token }) => `${token}\n`).join(''))
print({
  event: 'registered',
  devices: tokens.length,
  rssMiB: Math.round(process.memoryUsage.rss() / 2 ** 20),
})
startUsage = process.resourceUsage()
if (values.deliver !== '0') await deliver(Number(values.deliver), Number(values['in-flight']))

/** Accepts notifications for the devices in turn and tells how fast and at what cost they were accepted. */
async function deliver(count: number, inFlight: number): Promise<void> {
  const payload = new Uint8Array(Number(values['payload-bytes'])).fill(0x61)
  const startMs = performance.now()
  const latencies = new Float64Array(count)
  let started = 0
  let finished = 0
  const outcomes: Record<AcceptOutcome, number> = { accepted: 0, busy: 0, failed: 0 }
  await new Promise<void>((resolve) => {
    const done = (begunMs: number, outcome: AcceptOutcome): void => {
      outcomes[outcome]++
      latencies[finished++] = performance.now() - begunMs
      if (finished === count) resolve()
      else next()
    }
    const next = (): void => {
      if (started === count) return
      const token = tokens[started++ % tokens.length]!
      const notification = {
        apnsId: '01234567-89ab-cdef-0123-456789abcdef',
        token,
        payload,
        priority: 10,
        expiration: Math.floor(now() / 1000) + 3600,
        collapseId: '',
        pushType: 'alert',
        receivedAtMs: now(),
      }
      delivery.accept(notification, performance.now(), done)
    }
    for (let index = 0; index < inFlight; index++) next()
  })
  const seconds = (performance.now() - startMs) / 1000
  latencies.sort()
  const { unitsCommitted, unitsCancelled, commits } = database.statistics()
  print({
    event: 'delivered',
    ...outcomes,
    perSecond: Math.round(count / seconds),
    acceptMsP50: latencies[count >> 1],
    acceptMsP99: latencies[Math.floor(count * 0.99)],
    ...used(),
    microsecondsEach: ((used().userSeconds + used().systemSeconds) / count) * 1e6,
    commits,
    unitsCommitted,
    unitsCancelled,
  })
}

function used() {
  const usage = process.resourceUsage()
  return {
    userSeconds: (usage.userCPUTime - startUsage.userCPUTime) / 1e6,
    systemSeconds: (usage.systemCPUTime - startUsage.systemCPUTime) / 1e6,
    rssKiBMax: usage.maxRSS,
  }
}

function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
