import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { proxyAnswerBytesMax } from '../limits.ts'
import type { ProxyTarget } from '../proxy.ts'

/** A proxy that said no, with its status in `code`. */
class ProxyError extends Error {
  readonly code: string

  constructor(message: string, code: string) {
    super(message)
    this.code = code
  }
}

/** What becomes of a tunnel: exactly one of the two is called. */
export interface TunnelEvents {
  onOpen(socket: Socket): void
  onFailed(error: Error): void
}

/**
 * Asks a proxy for a tunnel to `authority` (host:port). The socket that comes back carries bytes to the host as if
 * it were connected to it: TLS with the host, its certificate and ours, goes through it end to end.
 */
export const openTunnel = (
  proxy: ProxyTarget,
  authority: string,
  connectMsMax: number,
  events: TunnelEvents,
): Socket => {
  const { host, port, secureContext, authorization } = proxy
  const name = isIP(host) === 0 ? { servername: host } : {}
  const isTls = secureContext !== undefined
  const socket = isTls ? connectTls({ host, port, secureContext, ...name }) : connectTcp({ host, port })
  const at = `${host}:${port}`
  let answer = Buffer.alloc(0)
  let failure = new ProxyError(`The proxy ${at} closed the connection without an answer`, 'PROXY_CLOSED')

  const timer = setTimeout(() => {
    socket.destroy(
      new ProxyError(`The proxy ${at} opened no tunnel within ${connectMsMax} ms`, 'PROXY_TIMEOUT'),
    )
  }, connectMsMax)
  const onData = (chunk: Buffer): void => {
    answer = Buffer.concat([answer, chunk])
    const end = answer.indexOf('\r\n\r\n')
    if (end === -1 && answer.length <= proxyAnswerBytesMax) return
    const status =
      end === -1 ? undefined : /^HTTP\/1\.[01] (\d{3})/.exec(answer.toString('latin1', 0, end))?.[1]
    if (status === undefined) {
      socket.destroy(new ProxyError(`${at} does not answer as an HTTP proxy does`, 'PROXY_NO_HTTP'))
    } else if (!status.startsWith('2')) socket.destroy(refusal(at, authority, status))
    else {
      clearTimeout(timer)
      socket.off('data', onData).off('error', onError).off('close', onClose).pause()
      // RFC 9110 §9.3.6: what follows the header section is the host's; a TLS server never speaks first.
      if (answer.length > end + 4) socket.unshift(answer.subarray(end + 4))
      events.onOpen(socket)
    }
  }
  const onError = (error: Error): void => {
    failure =
      error instanceof ProxyError ? error : new ProxyError(`The proxy ${at}: ${error.message}`, 'PROXY')
  }
  const onClose = (): void => {
    clearTimeout(timer)
    events.onFailed(failure)
  }
  socket.on('data', onData).on('error', onError).on('close', onClose)
  socket.once(isTls ? 'secureConnect' : 'connect', () => {
    const credentials = authorization === '' ? '' : `Proxy-Authorization: ${authorization}\r\n`
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${credentials}\r\n`)
  })
  return socket
}

const refusal = (at: string, authority: string, status: string): ProxyError => {
  if (status === '407') {
    return new ProxyError(
      `The proxy ${at} asks for a user and a password: give them in the URL of \`proxy\``,
      'PROXY_AUTHENTICATION',
    )
  }
  return new ProxyError(
    `The proxy ${at} refuses a tunnel to ${authority} (status ${status})`,
    `PROXY_${status}`,
  )
}
