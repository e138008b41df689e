/**
 * Sends one push with an auth key.
 *
 *     KEY_FILE=AuthKey_ABC123DEFG.p8 KEY_ID=ABC123DEFG TEAM_ID=DEF123GHIJ \
 *     TOPIC=com.example.app DEVICE_TOKEN=… node examples/send-push.ts
 *
 * HOST, PORT and CA_FILE point it at another service than Apple's.
 */
import { readFileSync } from 'node:fs'
import { alert, PushClient } from '@carillon/apns'

const { KEY_FILE, KEY_ID, TEAM_ID, TOPIC, DEVICE_TOKEN, HOST, PORT, CA_FILE } = process.env
if (!KEY_FILE || !KEY_ID || !TEAM_ID || !TOPIC || !DEVICE_TOKEN) {
  console.error('Set KEY_FILE, KEY_ID, TEAM_ID, TOPIC and DEVICE_TOKEN.')
  process.exit(2)
}

await using client = new PushClient({
  auth: { type: 'token', keyId: KEY_ID, teamId: TEAM_ID, keyFile: KEY_FILE },
  environment: 'sandbox',
  ...(HOST && { host: HOST }),
  ...(PORT && { port: Number(PORT) }),
  ...(CA_FILE && { ca: readFileSync(CA_FILE, 'utf8') }),
})

const hello = alert({ bundleId: TOPIC, title: 'Hello', body: 'from your own server', sound: 'default' })
const result = await client.send({ deviceToken: DEVICE_TOKEN, ...hello })

if (result.ok) console.log(`accepted as ${result.apnsId}`)
else if (result.tokenIsDead) console.log(`forget this token: ${result.reason}`)
else console.log(`${result.reason}: ${result.hint}`)
process.exitCode = result.ok ? 0 : 1
