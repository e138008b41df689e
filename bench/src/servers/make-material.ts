import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openDatabase } from '@carillon/database'
import { migrations } from '../../../packages/service/src/migrations.ts'
import { seedTokens } from '../../../packages/service/src/registry/seed.ts'
import { DeviceAuthority } from '../../../packages/service/test/courier/device-certificates.ts'
import {
  bundleId,
  keyId,
  newKey,
  signToken,
  teamId,
} from '../../../packages/service/test/memory-authority.ts'

/**
 * Everything that `push-service.ts` and its clients need, made beforehand by a process of its own, whose memory is not
 * measured: authorities, keys, `--tokens` registered devices that are away, and `--devices` certificates for a load
 * process to play devices that come.
 *
 *     node bench/src/servers/make-material.ts --data DIR --tokens 1000 --devices 0
 */
const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    tokens: { type: 'string', default: '0' },
    devices: { type: 'string', default: '0' },
  },
})
if (values.data === undefined) throw new Error('--data DIR says where the database and the material go')
const dataDir = values.data
mkdirSync(dataDir, { recursive: true, mode: 0o700 })

const nowMs = Date.now()
const certificates = await DeviceAuthority.make(nowMs)
const server = await certificates.server()
const keys = newKey()
const write = (name: string, text: string): void => writeFileSync(join(dataDir, name), text, { mode: 0o600 })

write('ca.pem', certificates.root.pem)
write('server.pem', server.pem)
write('server.key', server.keyPem)
write('tokens.txt', (await seed(Number(values.tokens))).map((token) => `${token}\n`).join(''))
write('devices.json', JSON.stringify(await deviceFacts(Number(values.devices))))
write(
  'material.json',
  JSON.stringify({
    ...{ topic: bundleId, teamId, keyId },
    deviceCaPem: certificates.deviceCaPem,
    publicKey: keys.publicKey.export({ type: 'spki', format: 'pem' }),
    signingKey: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    providerToken: signToken(keys.privateKey, Math.floor(nowMs / 1000)),
  }),
)

/** Devices that are away, each with one token. */
async function seed(count: number): Promise<string[]> {
  if (count === 0) return []
  const file = join(dataDir, 'push.sqlite')
  const database = await openDatabase({ engine: 'sqlite', file, migrations })
  const random = (bytes: number): Uint8Array => randomBytes(bytes)
  const seeded = await seedTokens(database, { count, bundleId, topic: bundleId, now: nowMs, random })
  await database.close()
  return seeded
}

/** What a load process needs to play so many devices. One key for all: making keys takes the longest. */
async function deviceFacts(count: number): Promise<object> {
  const first = await certificates.device('bench-0')
  const all = [first.der, ...certificates.devicesOfKey(first.key, Math.max(0, count - 1))]
  return {
    topic: bundleId,
    keyPem: first.keyPem,
    certificates: all.slice(0, count).map((der) => Buffer.from(der).toString('base64')),
  }
}
