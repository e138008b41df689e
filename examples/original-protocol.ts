/**
 * Sends over the original protocol to tokens of standard input, one a line, then reads which apps are gone:
 *
 *     CERT_FILE=… CERT_KEY_FILE=… CA_FILE=… HOST=localhost node examples/original-protocol.ts < tokens.txt
 *
 * BINARY_PORT and FEEDBACK_PORT where they are not 2195 and 2196. Apple switched its own service off in March 2021.
 */
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { BinaryPushClient, FeedbackClient } from '@carillon/apns'

const { CERT_FILE, CERT_KEY_FILE, CA_FILE, HOST, BINARY_PORT = '2195', FEEDBACK_PORT = '2196' } = process.env
if (!CERT_FILE || !CERT_KEY_FILE || !CA_FILE || !HOST) {
  console.error('Set CERT_FILE, CERT_KEY_FILE, CA_FILE and HOST, and give tokens on standard input.')
  process.exit(2)
}
const service = {
  auth: { type: 'certificate', certFile: CERT_FILE, keyFile: CERT_KEY_FILE },
  environment: 'production',
  host: HOST,
  ca: readFileSync(CA_FILE, 'utf8'),
} as const
const tokens = (await text(process.stdin)).split('\n').filter((line) => line !== '')

await using client = new BinaryPushClient({ ...service, port: Number(BINARY_PORT) })
const sent = tokens.map((deviceToken) => client.send({ deviceToken, payload: { aps: { alert: 'Hello' } } }))
await client.flush()
for (const [index, result] of (await Promise.all(sent)).entries()) {
  console.log(`${result.ok ? 'accepted' : result.reason} ${tokens[index]}`)
}

const feedback = new FeedbackClient({ ...service, port: Number(FEEDBACK_PORT) })
for await (const { token, at } of feedback) console.log(`gone since ${at.toISOString()} ${token}`)
