import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { openWhenHeard } from '../../src/courier/drivers/open-when-heard.ts'
import { server } from './courier-over-tls.ts'

/** A TLS server that echoes, behind a port whose connections are opened when they are heard. */
async function echoWorld() {
  const tls = createTlsServer({ cert: server.pem, key: server.keyPem }, (socket) => {
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  const pieces: number[] = []
  tls.on('connection', (socket) => {
    const { read } = socket
    socket.read = (size?: number): unknown => {
      const piece: Buffer | null = read.call(socket, size)
      if (piece !== null) pieces.push(piece.length)
      return piece
    }
  })
  const arrived: Socket[] = []
  const port = createServer({ pauseOnConnect: true }, (socket) => {
    socket.on('error', () => {})
    arrived.push(socket)
    openWhenHeard(socket, tls)
  }).listen(0, '127.0.0.1')
  await once(port, 'listening')
  onTestFinished(() => void port.close())
  const address = port.address() as { port: number }
  return { pieces, arrived, target: { host: '127.0.0.1', port: address.port } }
}

async function echoed(socket: TLSSocket, bytes: number): Promise<number> {
  let heard = 0
  socket.on('data', (chunk) => {
    heard += chunk.length
    if (heard === bytes) socket.end()
  })
  socket.write(Buffer.alloc(bytes, 'x'))
  await once(socket, 'close')
  return heard
}

test.each([1, 999, 1000, 1024, 5000, 200_000])('%d bytes come back', async (bytes) => {
  const { target } = await echoWorld()
  expect(await echoed(connectTls({ ...target, rejectUnauthorized: false }), bytes)).toBe(bytes)
})

test('TLS is given a long first message in pieces that leave its buffer small', async () => {
  const { target, pieces } = await echoWorld()
  const ALPNProtocols = Array.from({ length: 100 }, (_, at) => `a-long-name-of-a-protocol-${at}`)
  const socket = connectTls({ ...target, rejectUnauthorized: false, ALPNProtocols })
  expect(await echoed(socket, 10)).toBe(10)
  expect(pieces.length).toBeGreaterThan(2)
  expect(Math.max(...pieces)).toBeLessThan(1024)
})

test.each([1, 5, 100])('a first message of which %d bytes come first is understood', async (first) => {
  const { target, arrived } = await echoWorld()
  const wire = connect(target)
  const halves = new Duplex({
    read() {},
    async write(chunk: Buffer, _encoding, done) {
      wire.write(chunk.subarray(0, first))
      while ((arrived[0]?.bytesRead ?? 0) === 0) await new Promise((resolve) => setImmediate(resolve))
      wire.write(chunk.subarray(first), done)
    },
  })
  wire.on('data', (chunk) => halves.push(chunk))
  wire.on('close', () => halves.destroy())
  expect(await echoed(connectTls({ socket: halves, rejectUnauthorized: false }), 10)).toBe(10)
})

test('a peer that goes without a word leaves nothing behind', async () => {
  const { target, arrived } = await echoWorld()
  const silent = connect(target)
  await once(silent, 'connect')
  silent.end()
  await once(silent, 'close')
  await closed(arrived[0]!)
})

test('a peer that never says a word is cut', async () => {
  const { target, arrived, pieces } = await echoWorld()
  const silent = connect(target)
  await once(silent, 'connect')
  while (arrived.length === 0) await new Promise((resolve) => setImmediate(resolve))
  arrived[0]!.emit('timeout')
  await once(silent, 'close')
  expect(pieces).toEqual([])
})

async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await once(socket, 'close')
}
