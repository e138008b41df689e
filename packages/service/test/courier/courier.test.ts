import { connect as connectTcp } from 'node:net'
import { encodeCourierMessage, type MessageOf } from '@carillon/wire'
import { beforeAll, expect, test } from 'vitest'
import { type Courier, startCourier } from '../../src/courier/courier.ts'
import { limits } from '../../src/limits.ts'
import { MemoryAuthority } from '../memory-authority.ts'
import { nowMs, nowSeconds } from '../store/store-fixture.ts'
import { certificates, random, server, startWorld, topic } from './courier-over-tls.ts'
import { DeviceAuthority, type Issued } from './device-certificates.ts'
import { TlsPhone } from './tls-phone.ts'

let phoneCertificate: Issued

beforeAll(async () => {
  phoneCertificate = await certificates.device('phone-1')
})

/** TCP, and not a byte of TLS. */
async function bareConnection(courier: Courier): Promise<{ readonly closed: Promise<void> }> {
  const bare = connectTcp({ host: '127.0.0.1', port: courier.address.port })
  const closed = new Promise<void>((resolve) => bare.once('close', () => resolve()))
  bare.on('error', () => {})
  await Promise.race([new Promise<void>((resolve) => bare.once('connect', () => resolve())), closed])
  return { closed }
}

const text = (message: MessageOf<'notification'>) => new TextDecoder().decode(message.payload)

test('the whole story over TLS: connect, token, push, acknowledgement, away, back', async () => {
  const { dial, accept, stored, leave } = await startWorld()
  const phone = await dial({ ALPNProtocols: ['apns-security-v3'], minVersion: 'TLSv1.3' })
  expect(phone.socket.alpnProtocol).toBe('apns-security-v3')
  const connected = await phone.connect(phoneCertificate, nowMs)
  const token = await phone.register(topic)
  await phone.hear('noStorage')

  expect(await accept(token, 'hello')).toBe('accepted')
  const hello = await phone.hear('notification')
  expect(hello).toMatchObject({ token, baseToken: connected.token, storageFlags: 0, pushType: 1 })
  phone.say({ type: 'ack', id: hello.id, status: 0, token })
  phone.say({ type: 'keepAlive' })
  await phone.hear('keepAliveReply')
  expect(await stored()).toBe(0)

  await leave(phone)
  for (const name of ['one', 'two', 'three']) expect(await accept(token, name)).toBe('accepted')

  const back = await dial()
  expect((await back.connect(phoneCertificate, nowMs, { token: connected.token! })).token).toEqual(
    connected.token,
  )
  expect(await back.register(topic)).toEqual(token)
  const three = await back.hear('notification')
  expect([text(three), three.storageFlags]).toEqual(['three', 3])
  await back.hear('noStorage')
  back.say({ type: 'ack', id: three.id, status: 0 }, { type: 'keepAlive' })
  await back.hear('keepAliveReply')
  expect(await stored()).toBe(0)
})

test('many notifications of one turn arrive in order, and what was not acknowledged arrives again', async () => {
  const { dial, accept } = await startWorld()
  const phone = await dial()
  await phone.connect(phoneCertificate, nowMs)
  const token = await phone.register(topic)
  const names = Array.from({ length: 200 }, (_, index) => `n${index}`)
  await Promise.all(names.map((name) => accept(token, name)))
  await phone.hear('notification', names.length)
  const heard = phone.heard.filter((message) => message.type === 'notification')
  expect(heard.map(text)).toEqual(names)
  for (const message of heard.slice(0, 50)) phone.say({ type: 'ack', id: message.id })
  phone.say({ type: 'keepAlive' })
  await phone.hear('keepAliveReply')
  await phone.leave()

  const back = await dial()
  await back.connect(phoneCertificate, nowMs)
  await back.register(topic)
  await back.hear('noStorage')
  const again = back.heard.filter((message) => message.type === 'notification')
  expect(again.map(text)).toEqual(names.slice(50))
  expect(again.map((message) => message.tracingId)).toEqual(
    heard.slice(50).map((message) => message.tracingId),
  )
})

test('a second connection of a device replaces the first, which is closed', async () => {
  const { dial, accept, courier, bus } = await startWorld()
  const first = await dial()
  await first.connect(phoneCertificate, nowMs)
  const token = await first.register(topic)
  const second = await dial()
  await second.connect(phoneCertificate, nowMs)
  await first.closed
  await second.register(topic)
  await accept(token, 'for the second')
  expect(text(await second.hear('notification'))).toBe('for the second')
  expect([courier.counters.closed, bus.localDevices]).toEqual([{ replaced: 1 }, 1])
})

test('nobody takes the token: it becomes inactive', async () => {
  const { dial, accept, tokenState } = await startWorld()
  const phone = await dial()
  await phone.connect(phoneCertificate, nowMs)
  const token = await phone.register(topic)
  await accept(token, 'anybody?')
  const message = await phone.hear('notification')
  phone.say({ type: 'ack', id: message.id, status: 2 })
  // A new token for the same topic is only issued once the old one is known to be dead.
  phone.say({ type: 'keepAlive' })
  await phone.hear('keepAliveReply')
  while ((await tokenState(token)) === 'active') await new Promise((resolve) => setImmediate(resolve))
  expect(await tokenState(token)).toBe('inactive')
})

test('expiration 0 to a device that is away leaves no trace', async () => {
  const { dial, accept, stored, leave } = await startWorld()
  const phone = await dial()
  await phone.connect(phoneCertificate, nowMs)
  const token = await phone.register(topic)
  await leave(phone)
  expect(await accept(token, 'now', { expiration: 0 })).toBe('accepted')
  expect(await accept(token, 'late', { expiration: nowSeconds - 1 })).toBe('accepted')
  expect(await stored()).toBe(0)
})

test.each([
  ['apns-security-v3', ['apns-security-v3'], 'apns-security-v3'],
  ['of the packed framing', ['apns-security-v3', 'apns-pack-v1'], 'apns-pack-v1'],
  ['of the packed framing with table sizes', ['apns-pack-v1:4096:100'], 'apns-pack-v1:4096:100'],
  ['not offered at all', undefined, false],
] as const)('ALPN %s', async (_name, offered, expected) => {
  const { dial, accept } = await startWorld()
  const phone = await dial(offered === undefined ? {} : { ALPNProtocols: [...offered] })
  expect(phone.socket.alpnProtocol).toBe(expected)
  expect((await phone.connect(phoneCertificate, nowMs)).status).toBe(0)
  const token = await phone.register(topic)
  const accepted = [accept(token, 'one'), accept(token, 'two')]
  for (const count of [1, 2]) {
    const { id, payload } = await phone.hear('notification', count)
    expect(new TextDecoder().decode(payload)).toContain(count === 1 ? 'one' : 'two')
    phone.say({ type: 'ack', id, status: 0, token })
  }
  expect(await Promise.all(accepted)).toEqual(['accepted', 'accepted'])
})

test('a client that only speaks something else gets a TLS alert', async () => {
  const { courier } = await startWorld()
  await expect(TlsPhone.dial(courier.address.port, { ALPNProtocols: ['h2'] })).rejects.toThrow(
    /no application protocol/i,
  )
})

test('a device of another system is told so and closed', async () => {
  const { dial, courier } = await startWorld()
  const foreign = await DeviceAuthority.make(nowMs)
  const phone = await dial()
  expect((await phone.connect(await foreign.device('phone-1'), nowMs)).status).toBe(2)
  await phone.closed
  expect(courier.counters.rejected).toEqual({ 'certificate of another authority': 1 })
})

test('a device whose certificate is revoked is sent away at once and not let in again', async () => {
  const { dial, courier, authority } = await startWorld()
  const lost = await certificates.device('phone-lost')
  const phone = await dial()
  await phone.connect(lost, nowMs)
  const other = await dial()
  await other.connect(phoneCertificate, nowMs)
  authority.setCertificate(lost.serial, 'revoked')
  await phone.closed
  const again = await dial()
  expect((await again.connect(lost, nowMs)).status).toBe(2)
  other.say({ type: 'keepAlive' })
  await other.hear('keepAliveReply')
  expect(courier.counters.closed).toEqual({ 'certificate revoked': 1, rejected: 1 })
})

test('a wrong clock is told the right time', async () => {
  const { dial } = await startWorld()
  const phone = await dial()
  expect(await phone.connect(phoneCertificate, nowMs - 3_600_000)).toMatchObject({ nonceTimeMs: nowMs })
  await phone.closed
})

test('bytes that are no frames close the connection; other devices do not notice', async () => {
  const { dial, courier } = await startWorld()
  const good = await dial()
  await good.connect(phoneCertificate, nowMs)
  const bad = await dial()
  bad.socket.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'))
  await bad.closed
  good.say({ type: 'keepAlive' })
  await good.hear('keepAliveReply')
  expect(courier.counters.closed).toEqual({ malformed: 1 })
})

test('a device that does not read is dropped before it costs memory', async () => {
  const { dial, courier } = await startWorld()
  const phone = await dial()
  await phone.connect(phoneCertificate, nowMs)
  phone.socket.pause()
  const flush = encodeCourierMessage({ type: 'flush', wantedBytes: limits.flushPaddingBytesMax })
  const flood = Buffer.concat(new Array(500).fill(flush))
  const pump = () => {
    while (!phone.socket.destroyed && phone.socket.write(flood)) {
      // Until the socket wants to be waited for.
    }
  }
  phone.socket.on('drain', pump)
  pump()
  while (courier.connections > 0) await new Promise((resolve) => setImmediate(resolve))
  expect(courier.counters.closed).toEqual({ 'does not read': 1 })
})

test('a crowd of silent connections keeps no device out: those that had their time are cut', async () => {
  const clock = { nowMs }
  const { dial, courier } = await startWorld({
    admission: { unprovenConnectionsMax: 2 },
    now: () => clock.nowMs,
  })
  const crowd = [await bareConnection(courier), await dial()]
  // In steps, for a clock that jumps counts as one that was set. Who comes meanwhile finds no room.
  for (let step = 1; step < 4; step++) {
    clock.nowMs += limits.unprovenMsMin / 4
    await (await bareConnection(courier)).closed
  }
  clock.nowMs += limits.unprovenMsMin / 4
  const phone = await dial()
  await crowd[0]!.closed
  expect(await phone.connect(phoneCertificate, nowMs)).toMatchObject({ status: 0 })
  const later = [await dial(), await dial()]
  await crowd[1]!.closed
  phone.say({ type: 'keepAlive' })
  await phone.hear('keepAliveReply')
  expect([courier.counters.crowdedOut, later.map((each) => each.isClosed)]).toEqual([5, [false, false]])
})

test('many devices at once: those that came first get through, those for whom there is no room come again', async () => {
  const { dial, courier } = await startWorld({ admission: { unprovenConnectionsMax: 1 } })
  const first = await dial()
  await (await bareConnection(courier)).closed
  expect(await first.connect(phoneCertificate, nowMs)).toMatchObject({ status: 0 })
  const second = await dial()
  expect(await second.connect(await certificates.device('phone-2'), nowMs)).toMatchObject({ status: 0 })
  expect(courier.counters.crowdedOut).toBe(1)
})

test('closing the courier closes every connection, known or not, and the port', async () => {
  const { dial, courier, bus } = await startWorld()
  const known = await dial()
  await known.connect(phoneCertificate, nowMs)
  const unknown = await dial()
  const bare = await bareConnection(courier)
  await courier.close()
  await Promise.all([known.closed, unknown.closed, bare.closed])
  expect([courier.connections, bus.localDevices]).toEqual([0, 0])
  await expect(TlsPhone.dial(courier.address.port)).rejects.toThrow(/ECONNREFUSED/)
})

test('a port that is taken is an error with its code', async () => {
  const { courier } = await startWorld()
  await expect(
    startCourier({
      host: '127.0.0.1',
      port: courier.address.port,
      tls: { certPem: server.pem, keyPem: server.keyPem },
      authority: new MemoryAuthority(),
      registry: {
        enrolDevice: () => Promise.reject(),
        issueToken: () => Promise.reject(),
        topicOf: () => undefined,
      },
      delivery: { attach: () => Promise.reject() as never },
      now: () => nowMs,
      random,
      onTrouble: () => {},
    }),
  ).rejects.toMatchObject({ code: 'EADDRINUSE' })
})
