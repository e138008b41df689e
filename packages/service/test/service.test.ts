import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase } from '@carillon/database'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { migrations } from '../src/migrations.ts'
import { seedTokens } from '../src/registry/seed.ts'
import { startService } from '../src/service.ts'
import { ServiceError } from '../src/service-error.ts'
import type { PushService, ServiceOptions } from '../src/service-options.ts'
import { databaseFile } from '../src/start-errors.ts'
import { type Issued, TestAuthority } from './certificates.ts'
import { Provider } from './gateway/provider.ts'
import { bundleId, keyId, MemoryAuthority, newKey, signToken } from './memory-authority.ts'

const keys = newKey()
const random = (bytes: number): Uint8Array => randomBytes(bytes)

let directory: string
let ca: TestAuthority
let server: Issued
let authority: MemoryAuthority
const running: PushService[] = []
const occupied: Server[] = []

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'carillon-service-'))
  ca = await TestAuthority.make(Date.now())
  server = await ca.server()
  authority = new MemoryAuthority()
  authority.setApp(bundleId, { inboxMax: 1000 })
  authority.setKey(keyId, keys.publicKey)
  authority.pushCaPem.push(ca.caPem)
  authority.deviceCaPem.push(ca.caPem)
})

afterEach(async () => {
  await Promise.all(running.splice(0).map((service) => service.close()))
  for (const server of occupied.splice(0)) server.close()
  chmodSync(directory, 0o700)
  rmSync(directory, { recursive: true })
})

function optionsOf(changes: Partial<ServiceOptions> = {}): ServiceOptions {
  return {
    environment: 'production',
    dataDir: join(directory, 'production'),
    authority,
    tls: server,
    host: '127.0.0.1',
    ports: { http2: 0, courier: 0 },
    now: () => Date.now(),
    random,
    ...changes,
  }
}

async function start(changes: Partial<ServiceOptions> = {}): Promise<PushService> {
  const service = await startService(optionsOf(changes))
  running.push(service)
  return service
}

async function failure(changes: Partial<ServiceOptions>): Promise<ServiceError> {
  const error: unknown = await startService(optionsOf(changes)).then(
    (service) => {
      running.push(service)
      return undefined
    },
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(ServiceError)
  return error as ServiceError
}

/** A port that somebody else listens on. */
async function takenPort(): Promise<number> {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  occupied.push(other)
  return (other.address() as AddressInfo).port
}

describe('a push to a device that is away', () => {
  test('is on disk when it is answered, and there once after a restart', async () => {
    await (await start()).close()
    const file = join(directory, 'production', databaseFile)
    const database = await openDatabase({ engine: 'sqlite', file, migrations })
    const tokens = await seedTokens(database, {
      count: 20,
      bundleId,
      topic: bundleId,
      now: Date.now(),
      random,
    })
    await database.close()

    const service = await start()
    const provider = new Provider({ port: service.http2.port, caPem: ca.caPem })
    const authorization = `bearer ${signToken(keys.privateKey, Math.floor(Date.now() / 1000))}`
    const send = (token: string, expiration: string) =>
      provider.send(
        {
          ':method': 'POST',
          ':path': `/3/device/${token}`,
          authorization,
          'apns-topic': bundleId,
          'apns-expiration': expiration,
        },
        '{"aps":{"alert":"Hello"}}',
      )
    const answers = await Promise.all([
      ...tokens.map((token) => send(token, '1999999999')),
      ...tokens.map((token) => send(token, '0')),
    ])
    expect(answers.map((answer) => answer.status)).toEqual(Array(40).fill(200))
    await provider.close()
    await service.close()

    const after = await openDatabase({ engine: 'sqlite', file, migrations })
    const [row] = await after.all(after.prepare('SELECT count(*) AS stored FROM messages'))
    expect(row).toEqual({ stored: 20 })
    await after.close()
  })
})

test('both environments run side by side, files of the data directory are private', async () => {
  const production = await start()
  const sandbox = await start({ environment: 'sandbox', dataDir: join(directory, 'sandbox') })
  const ports = [production, sandbox].flatMap((service) => [service.http2.port, service.courier.port])
  expect(new Set(ports).size).toBe(4)
  expect(statSync(join(directory, 'sandbox')).mode & 0o777).toBe(0o700)
  for (const file of readdirSync(join(directory, 'sandbox'))) {
    expect(statSync(join(directory, 'sandbox', file)).mode & 0o077).toBe(0)
  }
})

test('a second close() does not close the database under the requests that the first still answers', async () => {
  const service = await start()
  const first = service.close()
  expect(service.close()).toBe(first)
  await first
  expect(service.close()).toBe(first)
})

describe('a start that fails says what to do, and leaves nothing open', () => {
  test.each(['http2', 'courier', 'binary', 'feedback'] as const)('the port of %s is taken', async (name) => {
    const port = await takenPort()
    const error = await failure({ ports: { http2: 0, courier: 0, [name]: port } })
    expect(error.code).toBe('PORT_TAKEN')
    expect(error.message).toContain(`Port ${port} on 127.0.0.1 is in use`)
    expect(error.fix).toContain(`ports.${name}`)
    // The same directory opens at once: the database of the failed start is closed.
    await start()
  })

  test('an address that is not of this machine', async () => {
    const error = await failure({ host: '192.0.2.1' })
    expect(error).toMatchObject({ code: 'ADDRESS_UNUSABLE' })
    expect(error.message).toContain('192.0.2.1')
  })

  test('the data directory is a file', async () => {
    const dataDir = join(directory, 'file')
    writeFileSync(dataDir, '')
    const error = await failure({ dataDir })
    expect(error.code).toBe('DATA_DIRECTORY')
    expect(error.message).toContain(dataDir)
  })

  test.skipIf(process.getuid?.() === 0)('the data directory cannot be written', async () => {
    chmodSync(directory, 0o500)
    expect(await failure({})).toMatchObject({ code: 'DATA_DIRECTORY' })
  })

  test('the database is something else', async () => {
    await (await start()).close()
    writeFileSync(
      join(directory, 'production', databaseFile),
      'no database at all, but long enough to be looked at',
    )
    expect(await failure({})).toMatchObject({ code: 'DATA_DIRECTORY' })
  })

  test('the database is in use by a running service', async () => {
    await start()
    expect(await failure({})).toMatchObject({ code: 'DATA_DIRECTORY' })
  })

  test('the certificate is broken, or of another key', async () => {
    const other = await ca.server()
    const broken = await failure({ tls: { certPem: 'no certificate', keyPem: server.keyPem } })
    const mixed = await failure({ tls: { certPem: server.certPem, keyPem: other.keyPem } })
    for (const error of [broken, mixed]) {
      expect(error.code).toBe('CERTIFICATE_UNUSABLE')
      expect(error.message).toContain('certificate')
      expect(error.message).not.toContain('PRIVATE KEY')
    }
  })

  test('a CA certificate of the authority is broken', async () => {
    authority.pushCaPem.push('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
    expect(await failure({})).toMatchObject({ code: 'AUTHORITY_UNUSABLE' })
  })
})
