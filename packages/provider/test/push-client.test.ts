import { once } from 'node:events'
import { createSecureServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { makeCertificate } from '../../apns/test/support/certificate.ts'
import { connectPushClient } from '../src/index.ts'
import { allAre, bundleId, credentials, start, token } from './support/world.ts'

/** A push service of Node's own HTTP/2 that answers as the test says. */
async function pushService(
  answer: (headers: IncomingHttpHeaders, body: string, stream: ServerHttp2Stream) => void,
) {
  const { cert, key } = makeCertificate()
  const server = createSecureServer({ cert, key, requestCert: true, rejectUnauthorized: false })
  server.on('stream', async (stream, headers) => {
    let body = ''
    for await (const chunk of stream) body += chunk
    answer(headers, body, stream)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port, ca: cert }
}

test('through the real client library: a push arrives, and 410 retires the token', async () => {
  const seen: [IncomingHttpHeaders, string][] = []
  let isInstalled = true
  const connect = await pushService((headers, body, stream) => {
    seen.push([headers, body])
    if (isInstalled) {
      stream.respond({ ':status': 200, 'apns-id': headers['apns-id'] as string })
      stream.end()
    } else {
      stream.respond({ ':status': 410 })
      stream.end(JSON.stringify({ reason: 'Unregistered', timestamp: Date.now() }))
    }
  })
  const { call, send, recipientsUntil } = await start({ connectPushClient })
  const environments = { sandbox: { credentials, connect } }
  expect(await call('POST', '/v1/apps', { bundleId, environments })).toMatchObject({ status: 200 })
  await call('PUT', `/v1/devices/${token}`, { bundleId, environment: 'sandbox' })

  const id = await send({ token, notification: { title: 'Hello' } })
  await recipientsUntil(id, allAre('sent'))
  expect(seen).toHaveLength(1)
  expect(seen[0]![0]).toMatchObject({
    ':path': `/3/device/${token}`,
    'apns-topic': bundleId,
    'apns-id': id,
    'apns-push-type': 'alert',
    authorization: expect.stringMatching(/^bearer [\w-]+\.[\w-]+\.[\w-]+$/),
  })
  expect(seen[0]![1]).toBe('{"aps":{"alert":{"title":"Hello"}}}')

  isInstalled = false
  const failed = await recipientsUntil(
    await send({ token, notification: { title: 'Gone' } }),
    allAre('failed'),
  )
  expect(failed).toMatchObject([{ status: 410, reason: 'Unregistered' }])
  expect(
    await call('POST', '/v1/messages', { message: { token, notification: { title: 'x' } } }),
  ).toMatchObject({
    status: 410,
    body: { reason: 'Unregistered' },
  })
})

test('with a certificate, the service sees it', async () => {
  const certificate = makeCertificate(bundleId)
  let subject: unknown
  const connect = await pushService((headers, _body, stream) => {
    subject = (
      stream.session!.socket as unknown as { getPeerCertificate(): { subject: { CN: string } } }
    ).getPeerCertificate().subject.CN
    stream.respond({ ':status': 200, 'apns-id': headers['apns-id'] as string })
    stream.end()
  })
  const { call, send, recipientsUntil } = await start({ connectPushClient })
  const own = { type: 'certificate', certPem: certificate.cert, keyPem: certificate.key }
  await call('POST', '/v1/apps', { bundleId, environments: { production: { credentials: own, connect } } })
  await call('PUT', `/v1/devices/${token}`, { bundleId, environment: 'production' })
  await recipientsUntil(await send({ token, notification: { title: 'x' } }), allAre('sent'))
  expect(subject).toBe(bundleId)
})
