import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Database, openDatabase } from '@carillon/database'
import { devicePath } from '@carillon/wire'
import { LocalBus } from '../../../packages/service/src/bus/local-bus.ts'
import type {
  AcceptOutcome,
  Delivery,
  Notification,
} from '../../../packages/service/src/delivery/delivery.ts'
import type { Mailbox } from '../../../packages/service/src/delivery/mailbox.ts'
import { openDelivery } from '../../../packages/service/src/delivery/open-delivery.ts'
import { startGateway } from '../../../packages/service/src/gateway/start-gateway.ts'
import { migrations } from '../../../packages/service/src/migrations.ts'
import { openRegistry } from '../../../packages/service/src/registry/open-registry.ts'
import { seedTokens } from '../../../packages/service/src/registry/seed.ts'
import { openMessageStore } from '../../../packages/service/src/store/database-message-store.ts'
import { TestAuthority } from '../../../packages/service/test/certificates.ts'
import {
  bundleId,
  keyId,
  MemoryAuthority,
  newKey,
  signToken,
  teamId,
} from '../../../packages/service/test/memory-authority.ts'

/**
 * A gateway to be driven by a load generator in another process: registry seeded with tokens, and behind it
 * either a delivery that only counts (`--delivery count`) or the durable store with every device away
 * (`--delivery store`). Prints one JSON line when it is ready; on SIGTERM one more with what it has used, and ends.
 *
 *     node bench/src/servers/gateway-server.ts --data DIR --tokens 1000 --delivery count
 */
const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    tokens: { type: 'string', default: '1000' },
    delivery: { type: 'string', default: 'count' },
    port: { type: 'string', default: '0' },
  },
})
if (values.data === undefined) throw new Error('--data DIR says where the database and the material go')
const dataDir = values.data
mkdirSync(dataDir, { recursive: true, mode: 0o700 })

const now = (): number => Date.now()
const random = (bytes: number): Uint8Array => randomBytes(bytes)

/** Accepts at once and keeps nothing: what is measured is the gateway alone. */
class CountingDelivery implements Delivery {
  accepted = 0

  accept<C>(
    _notification: Notification,
    context: C,
    done: (context: C, outcome: AcceptOutcome) => void,
  ): void {
    this.accepted += 1
    done(context, 'accepted')
  }
}

const authority = new MemoryAuthority()
const keys = newKey()
const ca = await TestAuthority.make(now())
const tls = await ca.server()
authority.pushCaPem.push(ca.caPem)
authority.setApp(bundleId)
authority.setKey(keyId, keys.publicKey)

const database: Database = await openDatabase({
  engine: 'sqlite',
  file: join(dataDir, 'push.sqlite'),
  migrations,
})
const registry = openRegistry({ database, authority, now, random })
const tokens = await seedTokens(database, {
  count: Number(values.tokens),
  bundleId,
  topic: bundleId,
  now: now(),
  random,
})
const counting = new CountingDelivery()
const delivery = values.delivery === 'store' ? await durableDelivery() : counting
const gateway = await startGateway({
  environment: 'production',
  authority,
  registry,
  delivery,
  tls,
  host: '127.0.0.1',
  port: Number(values.port),
  now,
  random,
})

const files = {
  ca: join(dataDir, 'ca.pem'),
  cert: join(dataDir, 'server.pem'),
  key: join(dataDir, 'server.key'),
  /** One URI a line, for `h2load -i`. */
  uris: join(dataDir, 'uris.txt'),
  tokens: join(dataDir, 'tokens.txt'),
}
writeFileSync(files.ca, ca.caPem)
writeFileSync(files.cert, tls.certPem)
writeFileSync(files.key, tls.keyPem, { mode: 0o600 })
writeFileSync(
  files.uris,
  tokens.map((token) => `https://localhost:${gateway.port}${devicePath(token)}\n`).join(''),
)
writeFileSync(files.tokens, tokens.map((token) => `${token}\n`).join(''))
const ready = {
  event: 'ready',
  port: gateway.port,
  topic: bundleId,
  teamId,
  keyId,
  signingKey: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }),
  providerToken: signToken(keys.privateKey, Math.floor(now() / 1000)),
  files,
}
process.stdout.write(`${JSON.stringify(ready)}\n`)
const startUsage = process.resourceUsage()

process.once('SIGTERM', async () => {
  const usage = process.resourceUsage()
  await gateway.close()
  await database.close()
  const used = {
    event: 'used',
    userSeconds: (usage.userCPUTime - startUsage.userCPUTime) / 1e6,
    systemSeconds: (usage.systemCPUTime - startUsage.systemCPUTime) / 1e6,
    rssKiBMax: usage.maxRSS,
    accepted: counting.accepted,
  }
  process.stdout.write(`${JSON.stringify(used)}\n`)
})

async function durableDelivery(): Promise<Delivery> {
  const store = await openMessageStore({ database })
  return openDelivery({
    store,
    bus: new LocalBus<Mailbox>(),
    registry,
    authority,
    now,
    onTrouble: (sentence, cause) => console.error(sentence, cause),
  })
}
