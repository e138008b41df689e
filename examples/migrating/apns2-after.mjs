import { readFileSync } from 'node:fs'
import { ApnsClient, Errors, Notification } from '@carillon/apns/compat/apns2'

const { KEY_FILE, KEY_ID, TEAM_ID, TOPIC } = process.env
const client = new ApnsClient({
  team: TEAM_ID,
  keyId: KEY_ID,
  signingKey: readFileSync(KEY_FILE),
  defaultTopic: TOPIC,
})
client.on(Errors.unregistered, (error) => console.log('forget', error.notification.deviceToken))

const hello = process.argv.slice(2).map((token) => new Notification(token, { alert: 'Hello' }))
for (const answer of await client.sendMany(hello)) {
  if (!('error' in answer)) console.log('sent', answer.deviceToken)
  else if (answer.error.statusCode !== 410) console.log('failed', answer.error.reason)
}
await client.close()
