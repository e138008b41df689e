import { once } from 'node:events'
import { encodeBinaryNotification } from '@carillon/wire'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Faults } from '../../src/faults/faults.ts'
import type { Issued } from '../certificates.ts'
import { PortsWorld } from '../legacy/ports-world.ts'
import { notification, packet } from '../legacy/session-fixture.ts'
import { bundleId } from '../memory-authority.ts'

const faults = new Faults({ now: Date.now })
let world: PortsWorld
let certificate: Issued
let tokens: Buffer[]

beforeAll(async () => {
  world = await PortsWorld.start(faults)
  certificate = await world.certificate()
  tokens = (await world.tokens(10)).map((hex) => Buffer.from(hex, 'hex'))
})
afterAll(async () => {
  faults.close()
  await world.close()
})
beforeEach(() => {
  faults.clear()
  world.accepted.splice(0)
})

/** Notifications to ten tokens in turn, with identifiers from 1. */
function stream(count: number): Buffer {
  const frames = Array.from({ length: count }, (_, index) =>
    encodeBinaryNotification(notification({ identifier: index + 1, token: tokens[index % 10]! })),
  )
  return Buffer.concat(frames)
}

describe('notifications of the binary protocol', () => {
  test('an error packet after so many: what came before counts, what comes after does not', async () => {
    const match = { app: bundleId, after: 5 }
    faults.add({ id: 'bad', where: 'binary', match, fault: { kind: 'answer', reason: 'processingError' } })
    const client = world.dial(world.binaryPort, certificate)
    client.socket.write(stream(9))
    const { bytes } = await client.ended
    expect(bytes.toString('hex')).toBe(packet(1, 6))
    expect(world.accepted).toHaveLength(5)
  })

  test('a shutdown names the last one that counts', async () => {
    faults.add({
      id: 'end',
      where: 'binary',
      match: { after: 3 },
      fault: { kind: 'answer', reason: 'Shutdown' },
    })
    const client = world.dial(world.binaryPort, certificate)
    client.socket.write(stream(9))
    expect((await client.ended).bytes.toString('hex')).toBe(packet(10, 3))
    expect(world.accepted).toHaveLength(3)
  })

  test('closed without a word before the one for a certain token', async () => {
    const match = { token: tokens[2]!.toString('hex') }
    faults.add({ id: 'cut', where: 'binary', match, fault: { kind: 'close' } })
    const client = world.dial(world.binaryPort, certificate)
    client.socket.write(stream(9))
    expect((await client.ended).bytes).toHaveLength(0)
    expect(world.accepted).toHaveLength(2)
  })

  test('closed without a word after it was accepted', async () => {
    const match = { app: bundleId, after: 2 }
    faults.add({ id: 'cut', where: 'binary', match, fault: { kind: 'close', when: 'afterAccepting' } })
    const client = world.dial(world.binaryPort, certificate)
    client.socket.write(stream(9))
    expect((await client.ended).bytes).toHaveLength(0)
    expect(world.accepted).toHaveLength(3)
  })

  test('a slow reader: everything arrives, later', async () => {
    faults.add({ id: 'slow', where: 'binary', fault: { kind: 'slowReader', bytesPerSecond: 2000 } })
    const client = world.dial(world.binaryPort, certificate)
    const started = performance.now()
    client.socket.end(stream(10))
    await client.ended
    expect(world.accepted).toHaveLength(10)
    expect(performance.now() - started).toBeGreaterThan(200)
  })

  test('the first connection is the first, though another one is the first to send something', async () => {
    const fault = { kind: 'answer', reason: 'processingError' } as const
    faults.add({ id: 'first', where: 'binary', match: { connection: 1 }, fault })
    const first = await world.dial(world.binaryPort, certificate).connected()
    const second = await world.dial(world.binaryPort, certificate).connected()
    await second.write(stream(2))
    await world.acceptedCount(2)
    await first.write(stream(2))
    expect((await first.ended).bytes.toString('hex')).toBe(packet(1, 1))
    expect(world.accepted).toHaveLength(2)
  })

  test('latency for one app: the error packet is late', async () => {
    const match = { app: bundleId }
    faults.add({ id: 'late', where: 'binary', match, fault: { kind: 'latency', ms: 300 } })
    const client = await world.dial(world.binaryPort, certificate).connected()
    const started = performance.now()
    const nobody = encodeBinaryNotification(notification({ identifier: 2, token: new Uint8Array(32) }))
    await client.write(Buffer.concat([stream(1), nobody]))
    expect((await client.ended).bytes.toString('hex')).toBe(packet(8, 2))
    expect(performance.now() - started).toBeGreaterThan(290)
  })

  test('a token that became invalid: taken, and delivered to nobody', async () => {
    const [gone = Buffer.alloc(0)] = tokens
    const at = Date.now() - 60_000
    faults.add({
      id: 'gone',
      where: 'binary',
      match: { token: gone.toString('hex') },
      fault: { kind: 'tokenInvalid', at },
    })
    const client = world.dial(world.binaryPort, certificate)
    client.socket.end(stream(10))
    expect((await client.ended).bytes).toHaveLength(0)
    expect(world.accepted).toHaveLength(9)
  })

  test('a status that the error packet does not have is refused', () => {
    const fault = { kind: 'answer', reason: 'BadCollapseId' } as const
    expect(() => faults.add({ id: 'a', where: 'binary', fault })).toThrow(/fault\.reason: give a status/)
  })
})

describe('connections of the binary protocol', () => {
  test('the second one is closed before its handshake', async () => {
    faults.add({ id: 'shut', where: 'binary', match: { connection: 2 }, fault: { kind: 'close' } })
    await world.dial(world.binaryPort, certificate).connected()
    const { error } = await world.dial(world.binaryPort, certificate).ended
    expect(error).toBeDefined()
    await world.dial(world.binaryPort, certificate).connected()
  })

  test('an expired certificate', async () => {
    const day = 86_400_000
    const expired = await world.ca.server({ notBefore: Date.now() - 2 * day, notAfter: Date.now() - day })
    const { certPem, keyPem } = expired
    faults.add({ id: 'old', where: 'binary', fault: { kind: 'expiredCertificate', certPem, keyPem } })
    const { error } = await world.dial(world.binaryPort, certificate).ended
    expect(error).toMatchObject({ code: 'CERT_HAS_EXPIRED' })
    faults.clear()
    await world.dial(world.binaryPort, certificate).connected()
  })

  test('what is sent leaves later', async () => {
    faults.add({ id: 'late', where: 'binary', fault: { kind: 'latency', ms: 250 } })
    const client = await world.dial(world.binaryPort, certificate).connected()
    const started = performance.now()
    const flush = encodeBinaryNotification(notification({ identifier: 9, token: new Uint8Array() }))
    client.socket.write(flush)
    await once(client.socket, 'data')
    expect(performance.now() - started).toBeGreaterThan(240)
  })
})
