import dns from 'node:dns'
import { once } from 'node:events'
import http2 from 'node:http2'
import { type AddressInfo, createServer } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { type Listener, listen, ServerConnection, serve } from '@carillon/http2'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { PushClient, PushResult } from '../src/index.ts'
import { makeCertificate } from './support/certificate.ts'
import { certificate, clientTo, privateKey, startService } from './support/local-service.ts'
import { accept } from './support/node-http2-peer.ts'
import { sendAll } from './support/results.ts'
import { outputOfSender } from './support/sending-program.ts'
import { newKeyId, push } from './support/service.ts'

const oks = (results: readonly PushResult[]): number => results.filter(({ ok }) => ok).length

/** Accepts every push, on our own engine. */
const ownService = (): ServerConnection => {
  const connection: ServerConnection = new ServerConnection(
    {},
    {
      onRequest(streamId, headers) {
        const id = headers[headers.indexOf('apns-id') + 1] ?? ''
        connection.respond(streamId, [':status', '200', 'apns-id', id])
      },
      onBodyTooLarge() {},
      onRequestReset() {},
      onEnd() {},
    },
  )
  return connection
}

describe('with node:http2 as the service, over TLS', () => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)('5000 pushes over %s', async (maxVersion) => {
    const ids: unknown[] = []
    const { port } = await startService(
      (stream, headers, count) => {
        ids.push(headers['apns-id'])
        accept(stream, headers, count)
      },
      { maxConcurrentStreams: 500 },
      { maxVersion },
    )
    const results = await sendAll(clientTo(port), 5000)
    expect(oks(results)).toBe(5000)
    expect(new Set(ids)).toEqual(new Set(results.map(({ apnsId }) => apnsId)))
  })

  test('one stream at first, then a thousand', async () => {
    const { port } = await startService(
      (stream, headers, count) => {
        if (count === 0) stream.session?.settings({ maxConcurrentStreams: 1000 })
        accept(stream, headers, count)
      },
      { maxConcurrentStreams: 1 },
    )
    expect(oks(await sendAll(clientTo(port), 2000))).toBe(2000)
  })

  test('GOAWAY that names a stream: those above go elsewhere, those below are answered', async () => {
    const answered = new Map<unknown, number>()
    let last = 0
    const { port, sessions } = await startService((stream, headers, count) => {
      const isFirst = stream.session === sessions[0]
      if (isFirst && count === 50) {
        last = stream.id ?? 0
        stream.session?.goaway(0, last, Buffer.from('{"reason":"Shutdown"}'))
      }
      if (isFirst && last > 0 && (stream.id ?? 0) > last) return
      const id = headers['apns-id']
      answered.set(id, (answered.get(id) ?? 0) + 1)
      accept(stream, headers, count)
    })
    expect(oks(await sendAll(clientTo(port), 500))).toBe(500)
    expect([...answered.values()].filter((times) => times !== 1)).toEqual([])
    expect(answered.size).toBe(500)
    expect(sessions.length).toBe(2)
  })

  test('refused streams, rejections and resets, each exactly once', async () => {
    const { port } = await startService((stream, headers, count) => {
      const answer = (status: number, body: object): void => {
        stream.respond({ ':status': status, 'apns-id': headers['apns-id'] })
        stream.end(JSON.stringify(body))
      }
      if (count % 10 === 1) stream.close(http2.constants.NGHTTP2_REFUSED_STREAM)
      else if (count % 10 === 2) stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR)
      else if (count % 10 === 3) answer(410, { reason: 'Unregistered', timestamp: 1_700_000_000_000 })
      else if (count % 10 === 4) answer(429, { reason: 'TooManyRequests' })
      else accept(stream, headers, count)
    })
    const client = clientTo(port, { retry: false })
    const results = await sendAll(client, 400)
    const { accepted, rejected, unanswered, sent, resent } = client.stats()
    expect(results.length).toBe(400)
    expect([accepted, rejected + unanswered, sent]).toEqual([oks(results), 400 - oks(results), 400 + resent])
    expect(rejected).toBeGreaterThan(50)
    expect(unanswered).toBeGreaterThan(20)
    expect(resent).toBeGreaterThan(20)
  })

  test('a session that is destroyed leaves sent pushes ambiguous and the rest to the next', async () => {
    const accepted = new Set<unknown>()
    const { port, sessions } = await startService(
      (stream, headers, count) => {
        if (count === 100) return sessions[0]?.destroy()
        accepted.add(headers['apns-id'])
        accept(stream, headers, count)
      },
      { maxConcurrentStreams: 50 },
    )
    const results = await sendAll(clientTo(port), 1000)
    for (const result of results) {
      if (result.ok) expect(accepted).toContain(result.apnsId)
      else expect(result).toMatchObject({ reason: 'ConnectionLost', ambiguous: true })
    }
    expect(oks(results)).toBeGreaterThanOrEqual(950)
    expect(oks(results)).toBeLessThan(1000)
  })

  test('a push certificate is shown in the handshake, and no token is sent', async () => {
    const mine = makeCertificate('com.example.app')
    const seen: unknown[] = []
    const { port } = await startService(
      (stream, headers, count) => {
        const socket = stream.session?.socket as import('node:tls').TLSSocket
        seen.push([socket.getPeerCertificate().subject.CN, headers.authorization])
        accept(stream, headers, count)
      },
      {},
      { requestCert: true, ca: mine.cert },
    )
    const client = clientTo(port, { auth: { type: 'certificate', ...mine } })
    const { deviceToken, payload } = push()
    expect(await client.send({ deviceToken, payload })).toMatchObject({ ok: true })
    expect(seen).toEqual([['com.example.app', undefined]])
  })

  test('a service that hangs up on a certificate after the handshake: certainly not sent', async () => {
    // Node verifies the client's certificate when the client believes the handshake done.
    const { port, sessions } = await startService(
      accept,
      {},
      { requestCert: true, ca: makeCertificate().cert },
    )
    const auth = { type: 'certificate' as const, ...makeCertificate('com.example.other') }
    const result = await clientTo(port, { auth, limits: { queuedMsMax: 300 } }).send(push())
    expect(result).toMatchObject({ reason: 'ConnectFailed', ambiguous: false, sent: false })
    expect(sessions.length).toBe(0)
  })
})

describe('how connections are made', () => {
  test.each([true, false])('ALPN offered: %s', async (alpn) => {
    const offered: unknown[] = []
    // A TLS server of its own, since node:http2 demands ALPN; what it decrypts goes to our engine as it is.
    const service = createTlsServer(
      {
        ...certificate,
        ALPNCallback: ({ protocols }) => {
          offered.push(protocols)
          return 'h2'
        },
      },
      (socket) => serve(socket, ownService()),
    )
    service.listen(0, '127.0.0.1')
    await once(service, 'listening')
    onTestFinished(() => void service.close())
    const { port } = service.address() as AddressInfo
    expect(await clientTo(port, { alpn }).send(push())).toMatchObject({ ok: true })
    expect(offered).toEqual(alpn ? [['h2']] : [])
  })

  test('the name is looked up anew for each connection', async () => {
    const lookup = vi.spyOn(dns, 'lookup')
    onTestFinished(() => void lookup.mockRestore())
    const { port, sessions } = await startService((stream, headers, count) => {
      accept(stream, headers, count)
      stream.session?.close()
    })
    const client = clientTo(port, { host: 'localhost' })
    for (let n = 0; n < 3; n++) expect(await client.send(push(n))).toMatchObject({ ok: true })
    expect(sessions.length).toBeGreaterThan(1)
    expect(lookup.mock.calls.filter(([name]) => name === 'localhost').length).toBe(sessions.length)
  })

  test('clients of several teams and keys share no connection, those of one key share its token', async () => {
    const tokens = new Map<unknown, Set<unknown>>()
    const { port } = await startService((stream, headers, count) => {
      const seen = tokens.get(stream.session) ?? new Set()
      tokens.set(stream.session, seen.add(headers.authorization))
      accept(stream, headers, count)
    })
    const keys = [newKeyId(), newKeyId()]
    const clients = ['TEAM000001', 'TEAM000002'].flatMap((teamId) =>
      [...keys, ...keys].map((keyId) =>
        clientTo(port, { auth: { type: 'token', keyId, teamId, privateKey } }),
      ),
    )
    for (const client of clients) expect(oks(await sendAll(client, 20))).toBe(20)
    expect(tokens.size).toBe(clients.length)
    for (const seen of tokens.values()) expect(seen.size).toBe(1)
    expect(new Set([...tokens.values()].flatMap((seen) => [...seen])).size).toBe(4)
  })
})

describe('connects that cannot succeed', () => {
  test('an authority that is not trusted', async () => {
    const { port } = await startService(accept)
    const result = await clientTo(port, { ca: makeCertificate().cert }).send(push())
    expect(result).toMatchObject({ reason: 'ConnectFailed', ambiguous: false })
    expect(result).toHaveProperty('hint', expect.stringContaining('Give its CA as `ca`'))
  })

  test('a certificate for another name, and the name given', async () => {
    const { port } = await startService(accept)
    const result = await clientTo(port, { serverName: 'push.example' }).send(push())
    expect(result).toHaveProperty('hint', expect.stringContaining('Give that name as `serverName`'))
    expect(await clientTo(port, { serverName: 'localhost' }).send(push())).toMatchObject({ ok: true })
  })

  test('nobody listens', async () => {
    const nobody = createServer().listen(0, '127.0.0.1')
    await once(nobody, 'listening')
    const { port } = nobody.address() as AddressInfo
    nobody.close()
    const result = await clientTo(port, { limits: { queuedMsMax: 300 } }).send(push())
    expect(result).toMatchObject({ reason: 'ConnectFailed', retryable: true, ambiguous: false })
    expect(result).toHaveProperty('hint', expect.stringContaining('ECONNREFUSED'))
  })
})

describe('with our own server, over TLS', () => {
  const ours = async (): Promise<Listener> => {
    const listener = await listen(certificate, ownService)
    onTestFinished(() => listener.close())
    return listener
  }

  test('20,000 pushes as a stream, in constant memory', async () => {
    const { port } = await ours()
    const client = clientTo(port)
    let accepted = 0
    const pushes = (function* () {
      for (let n = 0; n < 20_000; n++) yield push(n)
    })()
    for await (const { result } of client.sendMany(pushes)) if (result.ok) accepted += 1
    expect(accepted).toBe(20_000)
  })

  test('`await using` closes the client', async () => {
    const { port } = await ours()
    let client: PushClient
    {
      await using scoped = clientTo(port)
      client = scoped
      expect(await scoped.send(push())).toMatchObject({ ok: true })
    }
    expect(client.stats().connections).toBe(0)
    expect(await client.send(push())).toMatchObject({ reason: 'ClientClosed' })
  })

  test('a program that sends and does not close ends by itself', async () => {
    const { port } = await ours()
    expect(await outputOfSender(port)).toBe('true')
  })
})
