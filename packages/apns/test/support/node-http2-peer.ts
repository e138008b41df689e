import { once } from 'node:events'
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { TestCertificate } from './certificate.ts'

export type Respond = (
  stream: http2.ServerHttp2Stream,
  headers: http2.IncomingHttpHeaders,
  count: number,
) => void

/** A running service on node:http2, an implementation that shares no code with ours. */
export interface Peer {
  readonly port: number
  readonly sessions: http2.ServerHttp2Session[]
  close(): void
}

export const startPeer = async (
  certificate: TestCertificate,
  respond: Respond,
  settings: http2.Settings = {},
  tls: object = {},
): Promise<Peer> => {
  const service = http2.createSecureServer({ ...certificate, settings, ...tls })
  let count = 0
  const sessions: http2.ServerHttp2Session[] = []
  service.on('session', (session) => {
    session.on('error', () => {})
    sessions.push(session)
  })
  service.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    stream.resume()
    stream.on('end', () => respond(stream, headers, count++))
  })
  service.listen(0, '127.0.0.1')
  await once(service, 'listening')
  return {
    port: (service.address() as AddressInfo).port,
    sessions,
    close() {
      for (const session of sessions) session.destroy()
      service.close()
    },
  }
}

export const accept: Respond = (stream, headers) =>
  stream.respond({ ':status': 200, 'apns-id': headers['apns-id'] }, { endStream: true })
