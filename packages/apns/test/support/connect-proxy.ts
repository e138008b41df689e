import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { TestCertificate } from './certificate.ts'

/** A running HTTP proxy that knows CONNECT and nothing else, over TCP or TLS. */
export interface TestProxy {
  readonly port: number
  /** Header sections as they arrived. */
  readonly requests: string[]
  close(): void
}

/** `answer`: what to say instead of opening the tunnel, '' to say nothing and hang up; undefined opens it. */
export const startProxy = async (
  answer: (request: string) => string | undefined,
  certificate?: TestCertificate,
): Promise<TestProxy> => {
  const requests: string[] = []
  const sockets = new Set<Socket>()
  const onSocket = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('error', () => {})
    let head = ''
    const onData = (chunk: Buffer): void => {
      head += chunk.toString('latin1')
      if (!head.includes('\r\n\r\n')) return
      socket.off('data', onData)
      requests.push(head)
      const said = answer(head)
      if (said !== undefined) return void socket.end(said)
      const [, host, port] = /^CONNECT (\S+):(\d+) HTTP/.exec(head) ?? []
      const through = connect(Number(port), host, () => {
        // In two pieces: an answer need not come in one.
        socket.write('HTTP/1.1 200 Connection esta')
        setImmediate(() => {
          socket.write('blished\r\nVia: test\r\n\r\n')
          socket.pipe(through).pipe(socket)
        })
      })
      sockets.add(through)
      through.on('error', () => socket.destroy())
      through.on('close', () => socket.destroy())
      socket.on('close', () => through.destroy())
    }
    socket.on('data', onData)
  }
  const server: Server =
    certificate === undefined ? createServer(onSocket) : createTlsServer({ ...certificate }, onSocket)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
