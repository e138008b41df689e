import { once } from 'node:events'
import { connect as connectTls, createServer, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  ClientConnection,
  type ClientHandler,
  connect,
  type EndReason,
  type Limits,
  type Listener,
  listen,
  ServerConnection,
  serve,
  serverTlsOptions,
} from '../src/index.ts'
import { hasOpenssl, makeCertificate, type TestCertificate } from './certificates.ts'
import {
  ACK,
  frame,
  headers,
  PREFACE,
  ping,
  readFrames,
  requestBlock,
  settings,
  settingsAck,
  TYPE,
  uint32,
  windowUpdate,
} from './peer.ts'

let certificate: TestCertificate
beforeAll(() => {
  if (hasOpenssl) certificate = makeCertificate()
})

const listeners: Listener[] = []
afterAll(async () => {
  await Promise.all(listeners.map((listener) => listener.close()))
})

const handlerWith = (
  connection: () => ServerConnection,
  body: Uint8Array | undefined,
  onEnd: (reason: EndReason) => void = () => {},
) => ({
  onRequest: (id: number) => {
    connection().respond(id, [':status', '200'], body)
  },
  onBodyTooLarge: () => {},
  onRequestReset: () => {},
  onEnd,
})

const start = async (limits: Partial<Limits>, body: Uint8Array | undefined) => {
  const ends: EndReason[] = []
  const accepted: { socket: TLSSocket; connection: ServerConnection }[] = []
  const listener = await listen({ cert: certificate.cert, key: certificate.key }, (socket) => {
    const connection: ServerConnection = new ServerConnection(
      { limits },
      handlerWith(
        () => connection,
        body,
        (reason) => ends.push(reason),
      ),
    )
    accepted.push({ socket, connection })
    return connection
  })
  listeners.push(listener)
  return { listener, ends, accepted }
}

const rawClient = async (port: number): Promise<TLSSocket> => {
  const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['h2'] })
  await once(socket, 'secureConnect')
  return socket
}

const quiet: Omit<ClientHandler<number>, 'onCapacity' | 'onEnd'> = {
  onResponse: () => {},
  onReset: () => {},
  onRefused: () => {},
  onGoaway: () => {},
}

describe.skipIf(!hasOpenssl)('drivers over TLS', () => {
  test('a slow reader: the server stops reading, memory is bounded, the rest waits in the kernel', async () => {
    const { listener, accepted } = await start({ outputBytesPause: 65_536 }, Buffer.alloc(16_000))
    const socket = await rawClient(listener.port)
    socket.pause()
    socket.write(Buffer.concat([PREFACE, settings([4, 0x7fffffff]), windowUpdate(0, 0x7fff0000 - 65_536)]))
    // Far more answers than any buffer takes; the client reads none of them.
    let asked = 0
    let sent = true
    const congested = (): boolean => accepted[0]?.connection.congested === true
    while (!congested()) {
      const burst = Buffer.concat(
        Array.from({ length: 20 }, (_, at) => headers((asked + at) * 2 + 1, requestBlock())),
      )
      asked += 20
      sent = socket.write(burst)
      await new Promise((resolve) => setImmediate(resolve))
      if (asked > 20_000) throw new Error('never congested')
    }
    expect(accepted[0]!.socket.isPaused()).toBe(true)
    expect(accepted[0]!.socket.writableLength).toBeLessThan(2_000_000)
    expect(sent).toBeDefined()
    // It reads again: every request gets its answer.
    let bytes = Buffer.alloc(0)
    let finished = 0
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk])
      let at = 0
      while (bytes.length - at >= 9 && bytes.length - at >= 9 + bytes.readUIntBE(at, 3)) {
        const end = at + 9 + bytes.readUIntBE(at, 3)
        const [frame] = readFrames(bytes.subarray(at, end))
        if (frame!.type === TYPE.DATA) finished += 1
        at = end
      }
      bytes = bytes.subarray(at)
      if (finished === asked) socket.emit('finished')
    })
    socket.resume()
    await once(socket, 'finished')
    if (accepted[0]!.socket.isPaused()) await once(accepted[0]!.socket, 'resume')
    expect(accepted[0]!.connection.congested).toBe(false)
    socket.destroy()
  })

  test('a slow reader above the limit of bytes is cut off', async () => {
    const { listener, accepted, ends } = await start(
      { outputBytesMax: 300_000, outputBytesPause: 1_000_000 },
      Buffer.alloc(16_000),
    )
    const socket = await rawClient(listener.port)
    socket.pause()
    socket.on('error', () => {})
    socket.write(Buffer.concat([PREFACE, settings([4, 0x7fffffff]), windowUpdate(0, 0x7fff0000 - 65_536)]))
    for (let asked = 0; ends.length === 0; asked += 20) {
      socket.write(
        Buffer.concat(Array.from({ length: 20 }, (_, at) => headers((asked + at) * 2 + 1, requestBlock()))),
      )
      await new Promise((resolve) => setImmediate(resolve))
      if (asked > 20_000) throw new Error('never cut off')
    }
    expect(ends[0]).toMatchObject({ kind: 'limit', code: 11 })
    if (!accepted[0]!.socket.closed) await once(accepted[0]!.socket, 'close')
    socket.destroy()
  })

  test('a client that speaks something else is told by GOAWAY and closed', async () => {
    const { listener, ends } = await start({}, undefined)
    const socket = await rawClient(listener.port)
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    const chunks: Buffer[] = []
    for await (const chunk of socket) chunks.push(chunk as Buffer)
    expect(readFrames(Buffer.concat(chunks)).at(-1)!.type).toBe(TYPE.GOAWAY)
    expect(ends).toMatchObject([{ kind: 'protocolError' }])
  })

  test('serve: first bytes that were read already, and the client certificate', async () => {
    const peers: unknown[] = []
    const server = createServer(
      serverTlsOptions({ cert: certificate.cert, key: certificate.key }),
      (socket) => {
        socket.once('data', (firstBytes) => {
          socket.pause()
          peers.push(socket.getPeerCertificate().subject?.CN)
          const connection: ServerConnection = new ServerConnection(
            {},
            handlerWith(() => connection, Buffer.from('served')),
          )
          setImmediate(() => serve(socket, connection, firstBytes))
        })
      },
    )
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const { cert, key } = certificate
    const answer = await new Promise<string>((resolve, reject) => {
      const connection: ClientConnection<number> = new ClientConnection<number>(
        { streamsBeforeSettings: 1 },
        {
          ...quiet,
          onResponse: (_context, _status, _headers, body) => {
            resolve(Buffer.from(body).toString())
            connection.close()
          },
          onCapacity: () => {},
          onEnd: (reason) => reject(new Error(reason.message)),
        },
      )
      connection.request([':method', 'GET', ':scheme', 'https', ':path', '/'], undefined, 1)
      connect({ host: '127.0.0.1', port, ca: cert, cert, key }, connection)
    })
    expect(answer).toBe('served')
    expect(peers).toEqual(['localhost'])
    server.close()
  })

  test('a transport that is cut: the client learns what is unanswered, the server that it is over', async () => {
    const ends: EndReason[] = []
    const listener = await listen({ cert: certificate.cert, key: certificate.key }, () => {
      return new ServerConnection(
        {},
        {
          onRequest: () => transport.destroy(new Error('cut by the test')),
          onBodyTooLarge: () => {},
          onRequestReset: () => {},
          onEnd: (reason) => ends.push(reason),
        },
      )
    })
    listeners.push(listener)
    let told: (outcome: { reason: EndReason; unanswered: number[] }) => void
    const outcome = new Promise<{ reason: EndReason; unanswered: number[] }>((resolve) => {
      told = resolve
    })
    const connection: ClientConnection<number> = new ClientConnection<number>(
      {},
      {
        ...quiet,
        onCapacity: () => {
          connection.request([':method', 'GET', ':scheme', 'https', ':path', '/'], undefined, 7)
        },
        onEnd: (reason, unanswered) => told({ reason, unanswered }),
      },
    )
    const transport = connect({ host: '127.0.0.1', port: listener.port, ca: certificate.cert }, connection)
    expect(await outcome).toMatchObject({
      reason: { kind: 'transportError', message: 'cut by the test' },
      unanswered: [7],
    })
    await listener.close()
    expect(ends.length).toBe(1)
  })

  test('both ends with full sockets do not wait for each other', async () => {
    // Each request and each answer is as large as a window; far more than the sockets hold in either direction.
    const { listener } = await start(
      { outputBytesPause: 16_384, requestBodyBytesMax: 65_536 },
      Buffer.alloc(60_000),
    )
    const body = Buffer.alloc(60_000)
    const count = 400
    const answered = await new Promise<number>((resolve, reject) => {
      let sent = 0
      let done = 0
      const connection: ClientConnection<number> = new ClientConnection<number>(
        { limits: { outputBytesPause: 16_384 } },
        {
          ...quiet,
          onResponse: () => {
            done += 1
            if (done === count) connection.drain()
          },
          onCapacity: () => {
            const headers = [':method', 'POST', ':scheme', 'https', ':path', '/']
            while (sent < count && connection.request(headers, body, sent) >= 0) sent += 1
          },
          onEnd: (reason) => (reason.kind === 'drained' ? resolve(done) : reject(new Error(reason.message))),
        },
      )
      connect({ host: '127.0.0.1', port: listener.port, ca: certificate.cert }, connection)
    })
    expect(answered).toBe(count)
  })

  test('a client that is closed during its handshake leaves no socket behind', async () => {
    const { listener } = await start({}, undefined)
    const connection = new ClientConnection<number>({}, { ...quiet, onCapacity: () => {}, onEnd: () => {} })
    const { socket } = connect({ host: '127.0.0.1', port: listener.port, ca: certificate.cert }, connection)
    connection.close()
    await once(socket, 'close')
    expect(socket.destroyed).toBe(true)
  })

  test('a process that stood still does not take its own pause for the silence of its peers', async () => {
    const { listener, accepted } = await start({ pingAckMsMax: 500 }, undefined)
    const socket = await rawClient(listener.port)
    const answer = frame(TYPE.PING, ACK, 0, uint32(0, 1))
    let received = Buffer.alloc(0)
    const until = async (isEnough: () => boolean): Promise<void> => {
      while (!isEnough()) received = Buffer.concat([received, (await once(socket, 'data'))[0] as Buffer])
    }
    socket.write(Buffer.concat([PREFACE, settings(), settingsAck, ping('settled!')]))
    await until(() => received.includes('settled!'))
    const answered = new Promise<number | undefined>((resolve) => accepted[0]!.connection.ping(resolve))
    await until(() => received.includes(frame(TYPE.PING, 0, 0, uint32(0, 1))))
    // The answer is in the kernel before the pause, and is read after it.
    socket.write(answer)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500)
    expect(await answered).toBeGreaterThanOrEqual(1000)
    socket.destroy()
  })

  test('close() that is called again waits as the first does', async () => {
    const { listener } = await start({}, undefined)
    const socket = await rawClient(listener.port)
    const order: string[] = []
    listener.server.once('close', () => order.push('closed'))
    const first = listener.close()
    const second = listener.close().then(() => order.push('second'))
    socket.destroy()
    await Promise.all([first, second])
    expect(order).toEqual(['closed', 'second'])
  })

  test('a connection that cannot be accepted does not end the process', async () => {
    const { listener } = await start({}, undefined)
    // What node:net does where accept() fails, as it does when no file descriptors are left.
    listener.server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }))
    const socket = await rawClient(listener.port)
    socket.destroy()
  })

  test('listen rejects where the port is taken', async () => {
    const { listener } = await start({}, undefined)
    await expect(
      listen({ cert: certificate.cert, key: certificate.key, port: listener.port }, () => {
        throw new Error('never called')
      }),
    ).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })
})
