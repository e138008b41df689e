import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import { type ClientConnection, type ConnectOptions, connect } from '@carillon/http2'
import type { Runtime, Target, Ticker, Transport } from '../runtime.ts'
import { openTunnel } from './proxy-tunnel.ts'

/** The real clock, randomness, timers and network. */
export const nodeRuntime: Runtime = {
  now: () => Date.now(),
  random: (bytes) => randomBytes(bytes),
  soon: (callback) => queueMicrotask(callback),
  ticker,
  connect: (target, connection) =>
    target.proxy === undefined ? connectDirectly(target, connection) : connectByProxy(target, connection),
}

/** Options of node:tls are made for each connection, so that it looks up the host's name anew. */
const connectOptions = (target: Target): ConnectOptions => ({
  host: target.host,
  port: target.port,
  connectMsMax: target.connectMsMax,
  secureContext: target.secureContext,
  // RFC 6066 §3: an address is never sent as a server name; Node then checks the certificate against `host`.
  ...(isIP(target.serverName) === 0 ? { servername: target.serverName } : {}),
  ...(target.alpn ? {} : { ALPNProtocols: [] }),
  ...(target.rejectUnauthorized === false ? { rejectUnauthorized: false } : {}),
})

const connectDirectly = <C>(target: Target, connection: ClientConnection<C>): Transport => {
  const transport = connect(connectOptions(target), connection)
  return {
    destroy: () => transport.destroy(),
    ref: () => transport.socket.ref(),
    unref: () => transport.socket.unref(),
  }
}

/** First the tunnel, then through it the same handshake as without a proxy. */
const connectByProxy = <C>(target: Target, connection: ClientConnection<C>): Transport => {
  const { proxy, host, port, connectMsMax } = target
  let isRef = true
  let inner: Transport | undefined
  const tunnel = openTunnel(
    proxy!,
    isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`,
    connectMsMax,
    {
      onOpen(socket) {
        const transport = connect({ ...connectOptions(target), socket }, connection)
        // The socket in the tunnel keeps nothing alive by itself; the tunnel does.
        inner = { destroy: () => transport.destroy(), ref: () => {}, unref: () => {} }
        if (!isRef) socket.unref()
      },
      onFailed: (error) => connection.transportClosed(error),
    },
  )
  // Given up before there is a socket of its own to say so to.
  connection.onOutput = () => {
    if (connection.ended) tunnel.destroy()
  }
  return {
    destroy: () => (inner === undefined ? tunnel.destroy() : inner.destroy()),
    ref: () => {
      isRef = true
      tunnel.ref()
    },
    unref: () => {
      isRef = false
      tunnel.unref()
    },
  }
}

function ticker(onTick: () => void): Ticker {
  let timer: NodeJS.Timeout | undefined
  return {
    arm(delayMs, keepsAlive) {
      clearTimeout(timer)
      timer = setTimeout(onTick, delayMs)
      if (!keepsAlive) timer.unref()
    },
    stop() {
      clearTimeout(timer)
    },
  }
}
