import { alert, PushClient } from '@carillon/apns'

const { KEY_FILE = '', KEY_ID = '', TEAM_ID = '', TOPIC: bundleId = '' } = process.env
await using client = new PushClient({
  auth: { type: 'token', keyFile: KEY_FILE, keyId: KEY_ID, teamId: TEAM_ID },
  environment: 'production',
})
const hello = alert({ bundleId, body: 'Hello', expiration: new Date(Date.now() + 3600_000) })

for await (const { deviceToken, result } of client.sendMany(hello, process.argv.slice(2))) {
  if (result.ok) console.log('sent', deviceToken)
  else if (result.tokenIsDead) console.log('forget', deviceToken)
  else console.log('failed', deviceToken, result.reason)
}
