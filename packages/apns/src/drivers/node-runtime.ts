import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import { connect } from '@carillon/http2'
import type { Runtime, Ticker } from '../runtime.ts'

/** The real clock, randomness, timers and network. */
export const nodeRuntime: Runtime = {
  now: () => Date.now(),
  random: (bytes) => randomBytes(bytes),
  soon: (callback) => queueMicrotask(callback),
  ticker,
  connect(target, connection) {
    const transport = connect(
      {
        host: target.host,
        port: target.port,
        connectMsMax: target.connectMsMax,
        secureContext: target.secureContext,
        // RFC 6066 §3: an address is never sent as a server name; Node then checks the certificate against `host`.
        ...(isIP(target.serverName) === 0 ? { servername: target.serverName } : {}),
      },
      connection,
    )
    return {
      destroy: () => transport.destroy(),
      ref: () => transport.socket.ref(),
      unref: () => transport.socket.unref(),
    }
  },
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
