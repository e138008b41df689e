/**
 * A server with trivial validation, for measuring: `node bench/server.ts [certificate folder]`. It prints its
 * port, and at the end (SIGTERM) the requests served and the CPU seconds per 100,000 of them.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { listen, ServerConnection } from '../src/index.ts'
import { makeCertificate } from '../test/certificates.ts'

const { cert, key } = makeCertificate()
const folder = process.argv[2]
if (folder !== undefined) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'cert.pem'), cert)
  writeFileSync(join(folder, 'key.pem'), key, { mode: 0o600 })
}

let served = 0
let cpuAtStart = process.cpuUsage()
const refused = Buffer.from('{"reason":"BadPath"}')

const listener = await listen({ cert, key }, () => {
  const connection: ServerConnection = new ServerConnection(
    { indexing: { 'apns-id': 'literal' } },
    {
      onRequest: (streamId, headers, body) => {
        if (served === 0) cpuAtStart = process.cpuUsage()
        served += 1
        if (headers.includes('POST') && body.length <= 4096) {
          connection.respond(streamId, [':status', '200', 'apns-id', 'EC1BF194-B3B2-424A-89C7-5F4EB1B2F0A1'])
        } else {
          connection.respond(streamId, [':status', '404', 'content-type', 'application/json'], refused)
        }
      },
      onBodyTooLarge: (streamId) => connection.respond(streamId, [':status', '413'], refused),
      onRequestReset: () => {},
      onEnd: (reason) => console.error(`connection ended: ${reason.kind} ${reason.message}`),
    },
  )
  return connection
})
console.log(listener.port)

process.on('SIGTERM', () => {
  const used = process.cpuUsage(cpuAtStart)
  const seconds = (used.user + used.system) / 1e6
  console.error(`server: ${served} requests, ${((seconds / served) * 100_000).toFixed(3)} CPU s/100k`)
  process.exit(0)
})
