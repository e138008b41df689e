import tls, { type ConnectionOptions, type TLSSocket } from 'node:tls'
import { type LocalApp, startLocalApp } from './local-app.ts'

/**
 * Sends what this process dials at Apple's push hosts to a local system, for clients that know no other address.
 * Returns how to undo it.
 */
export function redirectApple({ endpoints, caPem }: LocalApp): () => void {
  const original = tls.connect
  const ports: Record<string, number | undefined> = {
    443: endpoints.http2.port,
    2197: endpoints.http2.port,
    2195: endpoints.binary?.port,
    2196: endpoints.feedback?.port,
  }
  const redirected = (options: ConnectionOptions, ...rest: unknown[]): TLSSocket => {
    const port = options?.host?.endsWith('.push.apple.com') ? ports[String(options.port)] : undefined
    if (port === undefined) return Reflect.apply(original, tls, [options, ...rest])
    const own = { ...options, host: 'localhost', servername: 'localhost', port, ca: caPem }
    return Reflect.apply(original, tls, [own, ...rest])
  }
  tls.connect = redirected as typeof tls.connect
  return () => {
    tls.connect = original
  }
}

/** A local app to which everything goes that this process dials at Apple's push hosts, until it is closed. */
export async function startRedirectedApp(): Promise<LocalApp> {
  const app = await startLocalApp()
  const restore = redirectApple(app)
  return {
    ...app,
    async close() {
      restore()
      await app.close()
    },
  }
}
