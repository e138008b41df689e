import { once } from 'node:events'
import { request } from 'node:https'
import { connect } from 'node:tls'
import { courierFraming, type MessageFromCourier } from '@carillon/wire'
import { expect, onTestFinished, test } from 'vitest'
import WebSocket from 'ws'
import { openCourierCommons } from '../../src/courier/drivers/open-commons.ts'
import { webSocketListener } from '../../src/courier/drivers/websocket-listener.ts'
import { limits } from '../../src/limits.ts'
import { baseToken, connectMessage, courierWorld, hash } from './courier-world.ts'
import { makeServerCertificate } from './server-certificate.ts'

async function world() {
  const courier = courierWorld()
  const tls = await makeServerCertificate()
  const listener = webSocketListener({
    ...{ host: '127.0.0.1', port: 0, tls, sessions: courier.host },
    admission: openCourierCommons({}, Date.now).admission,
  })
  const { port } = await listener.listen()
  onTestFinished(async () => {
    const closed = listener.close()
    listener.cut()
    await closed
  })
  return { courier, listener, port }
}

/** A page's end of the connection. */
class Page {
  readonly socket: WebSocket
  readonly heard: MessageFromCourier[] = []
  readonly closed: Promise<number>
  #waiting: (() => void)[] = []

  constructor(socket: WebSocket) {
    this.socket = socket
    const framing = courierFraming('courier', socket.protocol)
    this.say = (message) => socket.send(framing.encode(message))
    socket.on('message', (data) => {
      framing.push(new Uint8Array(data as Buffer))
      for (let message = framing.next(); message; message = framing.next()) this.heard.push(message)
      for (const resume of this.#waiting.splice(0)) resume()
    })
    this.closed = new Promise((resolve) => socket.on('close', (code) => resolve(code)))
  }

  readonly say: (message: Parameters<ReturnType<typeof courierFraming>['encode']>[0]) => void

  async hear(type: MessageFromCourier['type']): Promise<MessageFromCourier> {
    for (;;) {
      const found = this.heard.find((message) => message.type === type)
      if (found !== undefined) return found
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  static open(port: number, protocols: string[]): Promise<Page> {
    const socket = new WebSocket(`wss://127.0.0.1:${port}/`, protocols, { rejectUnauthorized: false })
    return new Promise((resolve, reject) => {
      socket.on('error', reject)
      socket.on('open', () => resolve(new Page(socket)))
    })
  }
}

test.each([
  [['apns-pack-v1', 'apns-security-v3'], 'apns-pack-v1'],
  [['apns-security-v3'], 'apns-security-v3'],
  [[], ''],
])('subprotocols %j: the same frames, framed as %s', async (offered, chosen) => {
  const { courier, listener, port } = await world()
  const page = await Page.open(port, offered)
  expect(page.socket.protocol).toBe(chosen)
  page.say(connectMessage(courier.clock.nowMs))
  expect(await page.hear('connected')).toMatchObject({ status: 0, token: baseToken })
  page.say({ type: 'filter', enabled: [hash] })
  page.say({ type: 'keepAlive' })
  await page.hear('keepAliveReply')
  expect([courier.inboxes[0]?.calls, listener.connections.size]).toEqual([['topics'], 1])
  courier.inboxes[0]!.link.end('replaced')
  expect(await page.closed).toBe(1001)
  expect([listener.connections.size, courier.host.counters.closed]).toEqual([0, { replaced: 1 }])
})

test('a frame may come in pieces, and several in one message', async () => {
  const { courier, port } = await world()
  const page = await Page.open(port, ['apns-security-v3'])
  const framing = courierFraming('courier', '')
  const bytes = Buffer.concat([
    framing.encode(connectMessage(courier.clock.nowMs)),
    framing.encode({ type: 'keepAlive' }),
  ])
  page.socket.send(bytes.subarray(0, 3))
  page.socket.send(bytes.subarray(3))
  await page.hear('connected')
  await page.hear('keepAliveReply')
})

test.each([
  ['apns-security-v3', '{"type":"connect"}'],
  ['apns-pack-v1', '{"type":"connect"}'],
  ['apns-security-v3', '\u0006\u0000\u0000\u0000\u0000'],
])('text closes the connection, also where its bytes could be a frame: %s %j', async (protocol, text) => {
  const { courier, port } = await world()
  const page = await Page.open(port, [protocol])
  page.socket.send(text)
  // RFC 6455 §7.4.1: a protocol error, not a server that goes away.
  expect(await page.closed).toBe(1002)
  expect(courier.host.counters.closed).toEqual({ malformed: 1 })
})

test('a plain request is told to upgrade', async () => {
  const { port } = await world()
  const status = await new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, rejectUnauthorized: false }, (response) =>
      resolve(response.statusCode),
    )
      .on('error', reject)
      .end()
  })
  expect(status).toBe(426)
})

test('pings are answered, and count as bytes before the device is known', async () => {
  const { courier, port } = await world()
  const page = await Page.open(port, ['apns-security-v3'])
  const answered = once(page.socket, 'pong')
  page.socket.ping('here?')
  expect(String((await answered)[0])).toBe('here?')
  const probe = Buffer.alloc(125)
  for (let sent = 0; sent <= limits.preAuthBytesMax; sent += probe.length) page.socket.ping(probe)
  await page.closed
  expect(courier.host.counters.closed).toEqual({ 'too many bytes before connect': 1 })
})

test('a known device that pings and reads no answer is cut before the answers fill the memory', async () => {
  const { courier, port } = await world()
  const page = await Page.open(port, ['apns-security-v3'])
  page.say(connectMessage(courier.clock.nowMs))
  await page.hear('connected')
  page.socket.pause()
  const probe = Buffer.alloc(125)
  for (let sent = 0; sent <= limits.requestsPerMinuteMax; sent++) page.socket.ping(probe)
  while (courier.host.counters.closed['too many requests'] === undefined) {
    await new Promise((resolve) => setImmediate(resolve))
  }
  page.socket.resume()
  await page.closed
})

test('a connection that never asks to become a WebSocket is cut', async () => {
  const { courier, port } = await world()
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false })
  socket.on('error', () => {})
  await once(socket, 'secureConnect')
  socket.resume()
  const closed = once(socket, 'close')
  courier.clock.nowMs += limits.unprovenMsMax + 1
  await closed
})
