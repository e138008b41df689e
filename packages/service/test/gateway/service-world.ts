import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase } from '@carillon/database'
import type { Fidelity } from '../../src/fidelity.ts'
import { migrations } from '../../src/migrations.ts'
import { startService } from '../../src/service.ts'
import type { PushService, ServiceOptions } from '../../src/service-options.ts'
import { databaseFile } from '../../src/start-errors.ts'
import { type Issued, TestAuthority } from '../certificates.ts'
import { bundleId, keyId, MemoryAuthority, newKey, signToken, type TokenParts } from '../memory-authority.ts'
import { Provider } from './provider.ts'

/** A token that the registry holds from the start. */
export interface Seed {
  readonly token: string
  readonly topic?: string
  readonly issuedAtMs?: number
  readonly inactiveSinceMs?: number
}

/** A whole push service as `startService` makes it, sandbox, over its own database; only the portal is in memory. */
export class ServiceWorld {
  readonly authority = new MemoryAuthority()
  readonly keys = newKey()
  readonly ca: TestAuthority
  readonly #directory = mkdtempSync(join(tmpdir(), 'carillon-world-'))
  readonly #providers: Provider[] = []
  #service!: PushService

  private constructor(ca: TestAuthority) {
    this.ca = ca
    this.authority.pushCaPem.push(ca.caPem)
    this.authority.deviceCaPem.push(ca.caPem)
    this.authority.setApp(bundleId)
    this.authority.setKey(keyId, this.keys.publicKey)
  }

  static async start(
    seeds: readonly Seed[],
    fidelity: Partial<Fidelity> = {},
    ports: ServiceOptions['ports'] = { http2: 0, courier: 0 },
  ): Promise<ServiceWorld> {
    const world = new ServiceWorld(await TestAuthority.make(Date.now()))
    await world.#seed(seeds)
    world.#service = await startService({
      environment: 'sandbox',
      dataDir: world.#directory,
      authority: world.authority,
      tls: await world.ca.server(),
      host: '127.0.0.1',
      ports,
      now: () => Date.now(),
      random: (bytes) => randomBytes(bytes),
      fidelity,
    })
    return world
  }

  get service(): PushService {
    return this.#service
  }

  /** The value of `authorization` for a token made so many seconds ago. */
  bearer(ageSeconds = 0, parts: TokenParts = {}, key = this.keys): string {
    return `bearer ${signToken(key.privateKey, Math.floor(Date.now() / 1000) - ageSeconds, parts)}`
  }

  provider(certificate?: Issued): Provider {
    const provider = new Provider({
      port: this.#service.http2.port,
      caPem: this.ca.caPem,
      ...(certificate === undefined ? {} : { certificate }),
    })
    this.#providers.push(provider)
    return provider
  }

  async stop(): Promise<void> {
    await Promise.all(this.#providers.map((provider) => provider.close()))
    await this.#service.close()
    rmSync(this.#directory, { recursive: true })
  }

  async #seed(seeds: readonly Seed[]): Promise<void> {
    const database = await openDatabase({
      engine: 'sqlite',
      file: join(this.#directory, databaseFile),
      migrations,
    })
    const device = database.prepare(
      'INSERT INTO devices (device_id, base_token, enrolled_at) VALUES (?, ?, ?)',
    )
    const insert = database.prepare(
      `INSERT INTO tokens (token, device, bundle_id, topic, issued_at, inactive_since)
       SELECT ?, id, ?, ?, ?, ? FROM devices WHERE device_id = ?`,
    )
    for (const { token, topic = bundleId, issuedAtMs = Date.now(), inactiveSinceMs = 0 } of seeds) {
      const bytes = Buffer.from(token, 'hex')
      await database.run(device, [token, bytes, issuedAtMs])
      await database.run(insert, [bytes, bundleId, topic, issuedAtMs, inactiveSinceMs, token])
    }
    await database.close()
  }
}
