import { once } from 'node:events'
import { type ClientHttp2Session, connect } from 'node:http2'
import { connect as connectTls } from 'node:tls'
import { allChannelsPath } from '@carillon/wire'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { PushService } from '../../src/service-options.ts'
import { answerOf } from '../gateway/provider.ts'
import { ServiceWorld } from '../gateway/service-world.ts'
import { bundleId } from '../memory-authority.ts'

let world: ServiceWorld
let service: PushService
const sessions: ClientHttp2Session[] = []

beforeEach(async () => {
  world = await ServiceWorld.start([], {}, { http2: 0, courier: 0, binary: 0, feedback: 0 })
  service = world.service
})
afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy()
  await world.stop()
})

function dial(port: number, alpn: boolean): ClientHttp2Session {
  const tls = { host: '127.0.0.1', port, ca: world.ca.caPem, servername: 'localhost' }
  // node:http2 takes a socket without ALPN where it is given one.
  const how = alpn ? { ca: world.ca.caPem } : { createConnection: () => connectTls(tls) }
  const session = connect(`https://localhost:${port}`, how)
  session.on('error', () => {})
  sessions.push(session)
  return session
}

test.each([
  ['binary', true],
  ['binary', false],
  ['feedback', true],
  ['feedback', false],
] as const)('HTTP/2 on the port %s, ALPN %s: served, but no device pushes', async (name, alpn) => {
  const session = dial(service[name]!.port, alpn)
  const stream = session.request({
    ':method': 'POST',
    ':path': `/3/device/${'ab'.repeat(32)}`,
    authorization: world.bearer(),
    'apns-topic': bundleId,
  })
  const answer = answerOf(stream)
  stream.end('{"aps":{}}')
  expect(await answer).toMatchObject({ status: 404, reason: 'BadPath' })
})

test('channel management answers there as on the HTTP/2 port', async () => {
  const authorization = world.bearer()
  const ask = async (port: number) => {
    const path = allChannelsPath(bundleId)
    const stream = dial(port, true).request({ ':path': path, authorization })
    const answer = answerOf(stream)
    stream.end()
    const { status, body } = await answer
    return { status, body }
  }
  const usual = await ask(service.http2.port)
  expect(usual.body).not.toContain('BadPath')
  expect(await ask(service.binary!.port)).toEqual(usual)
  expect(await ask(service.feedback!.port)).toEqual(usual)
})

test('GOAWAY with the reason when the service stops', async () => {
  const session = dial(service.feedback!.port, true)
  await once(session, 'remoteSettings')
  const goaway = once(session, 'goaway')
  const closed = service.close()
  const [, , data] = (await goaway) as [number, number, Buffer]
  expect(JSON.parse(data.toString())).toEqual({ reason: 'Shutdown' })
  await closed
})
