import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startService } from '../../src/service.ts'
import type { PushService } from '../../src/service-options.ts'
import { DeviceAuthority, type Issued } from '../courier/device-certificates.ts'
import { TlsPhone } from '../courier/tls-phone.ts'
import { MemoryAuthority } from '../memory-authority.ts'

const directory = mkdtempSync(join(tmpdir(), 'carillon-faults-'))
let service: PushService
let device: Issued
let start: (name: string) => Promise<PushService>

beforeAll(async () => {
  const certificates = await DeviceAuthority.make(Date.now())
  device = await certificates.device('phone-1')
  const { pem: certPem, keyPem } = await certificates.server()
  const authority = new MemoryAuthority()
  authority.deviceCaPem.push(...certificates.deviceCaPem)
  start = (name) =>
    startService({
      environment: 'sandbox',
      dataDir: join(directory, name),
      authority,
      tls: { certPem, keyPem },
      host: '127.0.0.1',
      ports: { http2: 0, courier: 0 },
      now: Date.now,
      random: (bytes) => randomBytes(bytes),
      faults: { rules: [{ id: 'from-the-start', where: 'courier', fault: { kind: 'latency', ms: 1 } }] },
    })
  service = await start('one')
})
afterAll(async () => {
  await service.close()
  rmSync(directory, { recursive: true })
})
beforeEach(() => service.faults.clear())

const dial = () => TlsPhone.dial(service.courier.port)

describe('connections of devices', () => {
  test('every second one is closed before its handshake', async () => {
    service.faults.add({ id: 'shut', where: 'courier', match: { every: 2 }, fault: { kind: 'close' } })
    const first = await dial()
    await expect(dial()).rejects.toThrow()
    expect((await first.connect(device, Date.now())).status).toBe(0)
    await first.leave()
  })

  test('half-open: the device says what it wants and hears nothing', async () => {
    service.faults.add({ id: 'dead', where: 'courier', match: { times: 1 }, fault: { kind: 'halfOpen' } })
    const dead = await dial()
    void dead.connect(device, Date.now()).catch(() => {})
    const alive = await dial()
    expect((await alive.connect(device, Date.now())).status).toBe(0)
    expect([dead.heard, dead.isClosed]).toEqual([[], false])
    expect(service.faults.get('dead').counters).toMatchObject({ seen: 2, hits: 1 })
    await alive.leave()
    await dead.leave()
  })

  test('slow and late, but whole', async () => {
    const faults = [
      { id: 'slow', where: 'courier', fault: { kind: 'slowReader', bytesPerSecond: 20_000 } },
      { id: 'late', where: 'courier', fault: { kind: 'latency', ms: 100, msMax: 150 } },
    ] as const
    service.faults.set({ rules: [...faults] })
    const phone = await dial()
    const started = performance.now()
    expect((await phone.connect(device, Date.now())).status).toBe(0)
    expect(performance.now() - started).toBeGreaterThan(95)
    await phone.leave()
  })
})

test('rules of the options are in force from the start', async () => {
  const own = await start('own')
  expect(own.faults.list()).toMatchObject([{ id: 'from-the-start', counters: { hits: 0 } }])
  await own.close()
})

test('a service closes at once although connections stand still', async () => {
  const own = await start('still')
  own.faults.set({
    rules: [
      { id: 'a', where: 'courier', fault: { kind: 'halfOpen' } },
      { id: 'b', where: 'http2', fault: { kind: 'halfOpen' } },
    ],
  })
  const phones = await Promise.all([TlsPhone.dial(own.courier.port), TlsPhone.dial(own.http2.port)])
  await own.close()
  await Promise.all(phones.map(({ closed }) => closed))
})
