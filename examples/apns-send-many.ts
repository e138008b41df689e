/**
 * Sends one push to every device token of standard input, one a line, however many there are.
 *
 *     KEY_FILE=… KEY_ID=… TEAM_ID=… TOPIC=com.example.app node examples/apns-send-many.ts < tokens.txt
 *
 * HOST, PORT and CA_FILE point it at another service than Apple's.
 */
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { alert, PushClient } from '@carillon/apns'

const { KEY_FILE, KEY_ID, TEAM_ID, TOPIC, HOST, PORT, CA_FILE } = process.env
if (!KEY_FILE || !KEY_ID || !TEAM_ID || !TOPIC) {
  console.error('Set KEY_FILE, KEY_ID, TEAM_ID and TOPIC, and give tokens on standard input.')
  process.exit(2)
}

await using client = new PushClient({
  auth: { type: 'token', keyId: KEY_ID, teamId: TEAM_ID, keyFile: KEY_FILE },
  environment: 'production',
  ...(HOST && { host: HOST }),
  ...(PORT && { port: Number(PORT) }),
  ...(CA_FILE && { ca: readFileSync(CA_FILE, 'utf8') }),
})

const news = alert({ bundleId: TOPIC, body: 'Something new is here' })
const tokens = createInterface({ input: process.stdin })
for await (const { deviceToken, result } of client.sendMany(news, tokens)) {
  if (result.ok) continue
  if (result.tokenIsDead) console.log(`dead ${deviceToken}`)
  else if (result.ambiguous) console.log(`unknown ${deviceToken} ${result.apnsId}`)
  else console.log(`${result.retryable ? 'later' : 'failed'} ${deviceToken} ${result.reason}`)
}
console.error(client.stats())
