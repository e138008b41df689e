import { once } from 'node:events'
import { encodeBinaryNotification } from '@carillon/wire'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import type { Issued } from '../certificates.ts'
import { bundleId } from '../memory-authority.ts'
import { PortsWorld } from './ports-world.ts'
import { notification, packet } from './session-fixture.ts'

let world: PortsWorld
let certificate: Issued
let tokens: Buffer[]

beforeAll(async () => {
  world = await PortsWorld.start()
  certificate = await world.certificate()
  tokens = (await world.tokens(50)).map((hex) => Buffer.from(hex, 'hex'))
})
afterAll(() => world.close())
beforeEach(() => void world.accepted.splice(0))

const nobody = new Uint8Array(32)

/** Notifications to the tokens in turn, identifiers from 1; `bad` has a token of nobody. */
function stream(count: number, bad?: number): Buffer {
  return Buffer.concat(
    Array.from({ length: count }, (_, index) => {
      const token = index + 1 === bad ? nobody : tokens[index % tokens.length]!
      return encodeBinaryNotification(notification({ identifier: index + 1, token }))
    }),
  )
}

const acceptedTokens = () => world.accepted.map(({ token }) => token.token)
const tokensOf = (count: number) =>
  Array.from({ length: count }, (_, index) => tokens[index % tokens.length]!.toString('hex'))

describe('notifications', () => {
  test('one byte a write, each in a TLS record of its own', async () => {
    const client = await world.dial(world.binaryPort, certificate).connected()
    client.socket.setNoDelay(true)
    for (const byte of stream(4)) await client.write(Buffer.of(byte))
    await world.acceptedCount(4)
    expect(acceptedTokens()).toEqual(tokensOf(4))
    expect(client.received.length).toBe(0)
    expect(world.connectionCounts).toEqual({ binary: 1, feedback: 0 })
    client.socket.end()
    expect(await client.ended).toMatchObject({ error: undefined })
  })

  test('1000 in one write, then the flush that says that all were accepted', async () => {
    const client = world.dial(world.binaryPort, certificate)
    const flush = encodeBinaryNotification(notification({ identifier: 9, token: new Uint8Array() }))
    client.socket.write(Buffer.concat([stream(1000), flush]))
    const { bytes, error } = await client.ended
    expect([bytes.toString('hex'), error]).toEqual([packet(2, 0), undefined])
    expect(acceptedTokens()).toEqual(tokensOf(1000))
  })

  test('far more than is kept in flight: the client is slowed down, nothing is lost', async () => {
    const count = limits.binaryInFlightMax * 20
    const client = world.dial(world.binaryPort, certificate)
    client.socket.end(stream(count))
    const { error } = await client.ended
    expect(error).toBeUndefined()
    expect(acceptedTokens()).toEqual(tokensOf(count))
  })

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'a client that ends its side first is still answered, %s',
    async (maxVersion) => {
      const client = world.dial(world.binaryPort, certificate, { maxVersion, minVersion: 'TLSv1.2' })
      client.socket.end(stream(300, 200))
      const { bytes, error } = await client.ended
      expect([bytes.toString('hex'), error]).toEqual([packet(8, 200), undefined])
      expect(acceptedTokens()).toEqual(tokensOf(199))
    },
  )

  test('a client that writes and leaves at once has sent them all the same', async () => {
    const client = await world.dial(world.binaryPort, certificate).connected()
    await client.write(stream(300))
    client.socket.destroy()
    await world.acceptedCount(300)
    expect(acceptedTokens()).toEqual(tokensOf(300))
  })

  test('the error packet arrives though the client goes on writing', async () => {
    const client = world.dial(world.binaryPort, certificate, { allowHalfOpen: true })
    await client.connected()
    let isOver = false
    client.socket.once('end', () => (isOver = true))
    const more = stream(2000, 100)
    // Some megabytes after the bad one, and more until the service's end was seen.
    for (let writes = 0; writes < 10 || !isOver; writes++) await client.write(more)
    client.socket.end()
    const { bytes } = await client.ended
    expect(bytes.toString('hex')).toBe(packet(8, 100))
    expect(acceptedTokens()).toEqual(tokensOf(99))
  })

  test('a bad command 0 closes the connection without a packet', async () => {
    const bad = { command: 0, identifier: undefined, expiration: undefined, priority: undefined } as const
    const client = world.dial(world.binaryPort, certificate)
    client.socket.write(encodeBinaryNotification(notification({ ...bad, token: nobody })))
    const { bytes, error } = await client.ended
    expect([bytes.length, error]).toEqual([0, undefined])
  })

  test("the token of a universal certificate's other topic is taken", async () => {
    const [voip] = await world.tokens(1, `${bundleId}.voip`)
    const universal = await world.certificate('universal')
    const bytes = encodeBinaryNotification(notification({ token: Buffer.from(voip!, 'hex'), identifier: 3 }))
    world.dial(world.binaryPort, universal).socket.write(bytes)
    await world.acceptedCount(1)
    expect(world.accepted[0]).toMatchObject({ pushType: 'voip' })
    const refused = world.dial(world.binaryPort, certificate)
    refused.socket.write(bytes)
    expect((await refused.ended).bytes.toString('hex')).toBe(packet(8, 3))
  })
})

describe('who is not let in is closed, whatever was sent', () => {
  async function expectClosed(certificate?: Issued): Promise<void> {
    for (const bytes of [stream(1), Buffer.alloc(0)]) {
      const client = world.dial(world.binaryPort, certificate)
      if (bytes.length > 0) client.socket.write(bytes)
      expect((await client.ended).bytes.length).toBe(0)
    }
    expect(world.accepted).toEqual([])
  }

  test('no certificate', () => expectClosed())

  test('the other environment', async () => expectClosed(await world.certificate('production')))

  test('revoked', async () => {
    const revoked = await world.certificate()
    world.authority.setCertificate(revoked.serial, 'revoked')
    await expectClosed(revoked)
  })

  test('unknown to the portal', async () => expectClosed(await world.ca.push('sandbox', bundleId)))

  test('expired', async () => {
    await expectClosed(await world.certificate('sandbox', bundleId, { notAfter: Date.now() - 1000 }))
  })

  test('another issuer', async () => {
    const foreign = await PortsWorld.start()
    try {
      await expectClosed(await foreign.certificate())
    } finally {
      await foreign.close()
    }
  })

  test('an app without push', async () =>
    expectClosed(await world.certificate('sandbox', 'com.example.none')))
})

test('a certificate that is revoked while it is in use ends the connection, which says what counts', async () => {
  const short = await world.certificate()
  const client = await world.dial(world.binaryPort, short).connected()
  await client.write(stream(3))
  await world.acceptedCount(3)
  world.authority.setCertificate(short.serial, 'revoked')
  expect((await client.ended).bytes.toString('hex')).toBe(packet(10, 3))
})

test('a certificate that is revoked before the client has said anything lets nothing in', async () => {
  const short = await world.certificate()
  const silent = await world.dial(world.binaryPort, short).connected()
  // By then the service has looked at the certificate of the silent one.
  await (await world.dial(world.binaryPort, certificate).connected()).write(stream(1))
  await world.acceptedCount(1)
  world.authority.setCertificate(short.serial, 'revoked')
  await silent.write(stream(3))
  expect((await silent.ended).bytes).toHaveLength(0)
  expect(world.accepted).toHaveLength(1)
})

test('the service stops with status 10, and takes nothing more', async () => {
  const client = await world.dial(world.binaryPort, certificate).connected()
  const idle = await world.dial(world.binaryPort, certificate).connected()
  // Its port knows of it from its first byte on.
  await idle.write(Buffer.of(2))
  await client.write(stream(5))
  await world.acceptedCount(5)
  const silent = await world.dial(world.binaryPort, certificate).connected()
  const stopped = world.stop()
  expect((await client.ended).bytes.toString('hex')).toBe(packet(10, 5))
  expect((await idle.ended).bytes.toString('hex')).toBe(packet(10, 0))
  await silent.ended
  await stopped
  await world.open()
  const again = world.dial(world.binaryPort, certificate)
  await once(again.socket, 'secureConnect')
})
