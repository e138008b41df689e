import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import type { PushResult } from '../src/index.ts'
import { makeCertificate } from './support/certificate.ts'
import { startProxy } from './support/connect-proxy.ts'
import { clientTo, startService } from './support/local-service.ts'
import { accept } from './support/node-http2-peer.ts'
import { sendAll } from './support/results.ts'
import { outputOfSender } from './support/sending-program.ts'
import { push } from './support/service.ts'

const proxy = async (...given: Parameters<typeof startProxy>) => {
  const started = await startProxy(...given)
  onTestFinished(() => started.close())
  return started
}
const open = (): undefined => undefined

test('through a proxy with a user and password, CA and client certificate are kept', async () => {
  const mine = makeCertificate('com.example.app')
  const seen: unknown[] = []
  const { port, sessions } = await startService(
    (stream, headers, count) => {
      const socket = stream.session?.socket as TLSSocket
      seen.push(socket.getPeerCertificate().subject.CN)
      accept(stream, headers, count)
    },
    {},
    { requestCert: true, rejectUnauthorized: true, ca: mine.cert },
  )
  const through = await proxy(open)
  const client = clientTo(port, {
    auth: { type: 'certificate', ...mine },
    proxy: `http://us%40er:p%3Ass@127.0.0.1:${through.port}`,
  })
  const results = await sendAll(client, 500)
  expect(results.filter(({ ok }) => ok).length).toBe(500)
  expect(new Set(seen)).toEqual(new Set(['com.example.app']))
  expect(through.requests).toHaveLength(sessions.length)
  expect(through.requests[0]).toBe(
    `CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n` +
      `Proxy-Authorization: Basic ${Buffer.from('us@er:p:ss').toString('base64')}\r\n\r\n`,
  )
})

test('an https proxy with an authority of its own', async () => {
  const { port } = await startService()
  const proxyCertificate = makeCertificate()
  const through = await proxy(open, proxyCertificate)
  const url = `https://localhost:${through.port}`
  const client = clientTo(port, { proxy: { url, ca: proxyCertificate.cert } })
  expect(await client.send(push())).toMatchObject({ ok: true })
  const untrusting = clientTo(port, { proxy: url, limits: { queuedMsMax: 300 } })
  expect(await untrusting.send(push())).toMatchObject({ reason: 'ConnectFailed', sent: false })
})

test('the certificate behind the proxy is checked as without one', async () => {
  const { port } = await startService()
  const through = await proxy(open)
  const client = clientTo(port, {
    ca: makeCertificate().cert,
    proxy: new URL(`http://127.0.0.1:${through.port}`),
  })
  const result = await client.send(push())
  expect(result).toHaveProperty('hint', expect.stringContaining('Give its CA as `ca`'))
})

test('a real proxy of node:http', async () => {
  const { port } = await startService()
  const real = createServer().on('connect', async (request, socket, head) => {
    const [host, at] = String(request.url).split(':')
    const through = connect(Number(at), host)
    await once(through, 'connect')
    socket.write('HTTP/1.1 200 OK\r\n\r\n')
    through.write(head)
    socket.pipe(through).pipe(socket)
    socket.on('error', () => through.destroy())
    through.on('error', () => socket.destroy())
  })
  real.listen(0, '127.0.0.1')
  await once(real, 'listening')
  onTestFinished(() => void real.close())
  const url = `http://127.0.0.1:${(real.address() as AddressInfo).port}`
  expect(await clientTo(port, { proxy: url }).send(push())).toMatchObject({ ok: true })
})

test.each<[string, string, RegExp]>([
  [
    'asks for credentials',
    'HTTP/1.1 407 Proxy Authentication Required\r\n\r\n',
    /asks for a user and a password/,
  ],
  ['refuses', 'HTTP/1.1 403 Forbidden\r\n\r\n', /refuses a tunnel to 127\.0\.0\.1:\d+ \(status 403\)/],
  ['speaks another protocol', 'SSH-2.0-OpenSSH\r\n\r\n', /does not answer as an HTTP proxy does/],
  ['talks without end', 'x'.repeat(20_000), /does not answer as an HTTP proxy does/],
  ['hangs up', '', /closed the connection without an answer/],
])('a proxy that %s: certainly not sent, and said so', async (_what, answer, hint) => {
  const { port } = await startService()
  const through = await proxy(() => answer)
  const client = clientTo(port, {
    proxy: `http://secret-user:secret-word@127.0.0.1:${through.port}`,
    limits: { queuedMsMax: 500 },
  })
  const result: PushResult = await client.send(push())
  expect(result).toMatchObject({ outcome: 'unsent', reason: 'ConnectFailed', ambiguous: false })
  expect(result).toHaveProperty('hint', expect.stringMatching(hint))
  expect(JSON.stringify(result)).not.toMatch(/secret/)
})

test('nobody listens at the proxy, or it never answers', async () => {
  const { port } = await startService()
  const gone = await startProxy(open)
  gone.close()
  const refused = clientTo(port, {
    proxy: `http://127.0.0.1:${gone.port}`,
    limits: { queuedMsMax: 300 },
  })
  expect(await refused.send(push())).toHaveProperty('hint', expect.stringMatching(/proxy .*ECONNREFUSED/))

  const silent = createTcpServer(() => {}).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  onTestFinished(() => void silent.close())
  const waiting = clientTo(port, {
    proxy: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`,
    limits: { connectMsMax: 100, queuedMsMax: 400 },
  })
  expect(await waiting.send(push())).toHaveProperty('hint', expect.stringMatching(/no tunnel within 100 ms/))
})

test('a client can be closed while its tunnel is being opened', async () => {
  const { port } = await startService()
  const silent = createTcpServer(() => {}).listen(0, '127.0.0.1')
  const asked = once(silent, 'connection')
  await once(silent, 'listening')
  onTestFinished(() => void silent.close())
  const client = clientTo(port, { proxy: `http://127.0.0.1:${(silent.address() as AddressInfo).port}` })
  const result = client.send(push())
  const [atProxy] = await asked
  await client.close({ drain: false })
  expect(await result).toMatchObject({ outcome: 'unsent', reason: 'ClientClosed' })
  // Nothing is left behind at the proxy.
  if (!atProxy.destroyed) await once(atProxy.resume(), 'close')
})

test('a program that sends through a proxy and does not close ends by itself', async () => {
  const { port } = await startService()
  const through = await proxy(open)
  const url = `http://127.0.0.1:${through.port}`
  expect(await outputOfSender(port, { proxy: url })).toBe('true')
})
