import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type EndReason, ErrorCode, type HeaderList, listen, ServerConnection } from '@carillon/http2'
import { header } from '@carillon/wire'
import { makeAuthKey, makeCertificate } from '../../../packages/apns/test/support/certificate.ts'
import { Random } from '../../../packages/http2/test/fuzz/random.ts'

/**
 * A service that counts how often it has accepted each push, known by the number in its collapse id, and makes trouble
 * while it does: GOAWAYs, connections cut before and after an answer was decided, streams refused and reset. On SIGTERM
 * it writes the counts and what went wrong into a file, and ends.
 *
 *     node bench/src/soak/server.ts --pushes 5000000 --material FILE --counts FILE --seed 1
 */
const { values } = parseArgs({
  options: {
    pushes: { type: 'string' },
    material: { type: 'string' },
    counts: { type: 'string' },
    seed: { type: 'string', default: '1' },
  },
})
const { material, counts, pushes } = values
if (material === undefined || counts === undefined || pushes === undefined) {
  throw new Error('give --pushes, --material and --counts')
}
const random = new Random(Number(values.seed))
const accepted = new Uint8Array(Number(pushes))
const trouble = { goaways: 0, cuts: 0, refused: 0, resetAfterAccepting: 0, protocolErrors: 0 }

const certificate = makeCertificate()
const listener = await listen({ ...certificate, port: 0 }, () => {
  const connection: ServerConnection = new ServerConnection(
    { indexing: { [header.apnsId]: 'literal' } },
    {
      onRequest: (streamId, headers) => take(connection, streamId, headers),
      onBodyTooLarge: (streamId) => void connection.respond(streamId, [header.status, '413']),
      onRequestReset() {},
      onEnd: ({ kind }: EndReason) => {
        if (kind === 'protocolError' || kind === 'internalError') trouble.protocolErrors++
      },
    },
  )
  return connection
})

writeFileSync(
  material,
  JSON.stringify({
    ca: certificate.cert,
    keyId: 'SOAKKEY001',
    teamId: 'SOAKTEAM01',
    privateKey: makeAuthKey(),
  }),
  { mode: 0o600 },
)
console.log(JSON.stringify({ event: 'ready', url: `https://127.0.0.1:${listener.port}` }))
process.once('SIGTERM', () => {
  writeFileSync(counts, accepted)
  console.log(JSON.stringify({ event: 'ended', ...trouble }))
  process.exit(0)
})

function take(connection: ServerConnection, streamId: number, headers: HeaderList): void {
  const serial = Number(headers[headers.indexOf(header.apnsCollapseId) + 1])
  const dice = random.below(1_000_000)
  if (dice < 400) {
    trouble.refused++
    return connection.reset(streamId, ErrorCode.REFUSED_STREAM)
  }
  if (dice < 420) {
    // The whole connection: whether what is open on it was processed is known here alone.
    trouble.cuts++
    return connection.goaway(ErrorCode.INTERNAL_ERROR)
  }
  accepted[serial]!++
  if (dice < 440) {
    trouble.resetAfterAccepting++
    return connection.reset(streamId, ErrorCode.INTERNAL_ERROR)
  }
  connection.respond(streamId, [
    header.status,
    '200',
    header.apnsId,
    headers[headers.indexOf(header.apnsId) + 1]!,
  ])
  if (dice < 470) {
    trouble.goaways++
    connection.drain(Buffer.from('{"reason":"Shutdown"}'))
  }
}
