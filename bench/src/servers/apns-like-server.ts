import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { listen, ServerConnection } from '@carillon/http2'
import { header } from '@carillon/wire'
import { makeAuthKey, makeCertificate } from '../../../packages/apns/test/support/certificate.ts'

/**
 * The fastest service that a client can be measured against: it reads the request and answers 200 with the
 * apns-id, and checks nothing. Prints one JSON line when it is ready, and ends on SIGTERM.
 *
 *     node bench/src/servers/apns-like-server.ts --material material.json
 *
 * The file gets what a client needs: `{ ca, keyId, teamId, privateKey, topic, deviceToken }`.
 */
const { values } = parseArgs({
  options: { material: { type: 'string' }, port: { type: 'string', default: '0' } },
})
if (values.material === undefined) throw new Error('--material FILE says where the material for clients goes')

const certificate = makeCertificate()
const listener = await listen({ ...certificate, port: Number(values.port) }, () => {
  const connection: ServerConnection = new ServerConnection(
    { indexing: { [header.apnsId]: 'literal' } },
    {
      onRequest(streamId, headers) {
        connection.respond(streamId, [header.status, '200', header.apnsId, apnsIdOf(headers)])
      },
      onBodyTooLarge: (streamId) => void connection.respond(streamId, [header.status, '413']),
      onRequestReset() {},
      onEnd() {},
    },
  )
  return connection
})

const material = {
  ca: certificate.cert,
  keyId: 'BENCHKEY01',
  teamId: 'BENCHTEAM1',
  privateKey: makeAuthKey(),
  topic: 'com.example.bench',
  deviceToken: randomBytes(32).toString('hex'),
}
writeFileSync(values.material, JSON.stringify(material), { mode: 0o600 })
console.log(JSON.stringify({ event: 'ready', url: `https://127.0.0.1:${listener.port}` }))
process.once('SIGTERM', () => process.exit(0))

/** What the client sent; clients that send none get one that is always the same. */
function apnsIdOf(headers: readonly string[]): string {
  for (let i = 0; i < headers.length; i += 2) if (headers[i] === header.apnsId) return headers[i + 1] ?? ''
  return '00000000-0000-4000-8000-000000000000'
}
