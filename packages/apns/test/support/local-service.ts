import type http2 from 'node:http2'
import { onTestFinished } from 'vitest'
import { PushClient, type PushClientOptions } from '../../src/index.ts'
import { makeAuthKey, makeCertificate } from './certificate.ts'
import { accept, type Peer, type Respond, startPeer } from './node-http2-peer.ts'
import { newKeyId } from './service.ts'

export const privateKey = makeAuthKey()
/** Of the services on this machine that tests start, and the authority that their clients trust. */
export const certificate = makeCertificate()

/** A service on node:http2, for as long as the test runs. */
export const startService = async (
  respond: Respond = accept,
  settings: http2.Settings = {},
  tls: object = {},
): Promise<Peer> => {
  const started = await startPeer(certificate, respond, settings, tls)
  onTestFinished(() => started.close())
  return started
}

/** A client of a service of this machine, for as long as the test runs. */
export const clientTo = (port: number, options: Partial<PushClientOptions> = {}): PushClient => {
  const client = new PushClient({
    auth: { type: 'token', keyId: newKeyId(), teamId: 'TEAM000001', privateKey },
    environment: 'sandbox',
    host: '127.0.0.1',
    port,
    ca: certificate.cert,
    ...options,
  })
  onTestFinished(() => client.close({ drain: false }))
  return client
}
