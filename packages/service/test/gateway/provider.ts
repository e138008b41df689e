import { once } from 'node:events'
import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from 'node:http2'
import type { Issued } from '../certificates.ts'

export interface Answer {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: string
  readonly reason: string | undefined
  readonly timestamp: number | undefined
}

export interface ProviderOptions {
  readonly port: number
  readonly caPem: string
  readonly certificate?: Issued
  /** A ticket of an earlier connection. */
  readonly tlsSession?: Buffer
}

/** A provider's connection over node:http2, so that nothing of ours is on the other side. */
export class Provider {
  readonly session: ClientHttp2Session

  /** Does not wait for anything: what is sent at once travels with the end of the handshake. */
  constructor(options: ProviderOptions) {
    const { certPem: cert, keyPem: key } = options.certificate ?? {}
    this.session = connect(`https://localhost:${options.port}`, {
      ca: options.caPem,
      ...(cert === undefined || key === undefined ? {} : { cert, key }),
      ...(options.tlsSession === undefined ? {} : { session: options.tlsSession }),
    })
    // Closing the gateway resets what is left: tests look at the answers.
    this.session.on('error', () => {})
  }

  /** A header that is undefined is not sent. */
  send(headers: OutgoingHttpHeaders, body: string | Uint8Array): Promise<Answer> {
    const sent = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined))
    // Otherwise GET and DELETE end with their headers, and take no body, not even an empty one.
    const stream = this.session.request(sent, { endStream: false })
    const answer = answerOf(stream)
    stream.end(body)
    return answer
  }

  /** The next GOAWAY, without an error: the last stream that is served, and the reason in the debug data. */
  async goaway(): Promise<{ lastStreamId: number; reason: string }> {
    const [code, lastStreamId, debugData] = (await once(this.session, 'goaway')) as [number, number, Buffer]
    if (code !== 0) throw new Error(`GOAWAY with error code ${code}`)
    const { reason } = JSON.parse(debugData.toString()) as { reason: string }
    return { lastStreamId, reason }
  }

  async close(): Promise<void> {
    if (this.session.closed || this.session.destroyed) return
    const closed = once(this.session, 'close')
    this.session.destroy()
    await closed
  }
}

export function answerOf(stream: ReturnType<ClientHttp2Session['request']>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let headers: Answer['headers'] = {}
    let body = ''
    stream.on('response', (received) => {
      headers = received as Answer['headers']
    })
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => {
      body += text
    })
    stream.on('error', reject)
    stream.on('end', () => {
      const said = body === '' ? {} : (JSON.parse(body) as { reason?: string; timestamp?: number })
      resolve({
        status: Number(headers[':status']),
        headers,
        body,
        reason: said.reason,
        timestamp: said.timestamp,
      })
    })
  })
}
