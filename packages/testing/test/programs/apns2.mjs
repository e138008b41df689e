import { readFileSync } from 'node:fs'
import { ApnsClient, Host, Notification } from 'apns2'

const [deviceToken, topic, keyFile, keyId, teamId] = process.argv.slice(2)
const signingKey = readFileSync(keyFile, 'utf8')
const client = new ApnsClient({
  team: teamId,
  keyId,
  signingKey,
  defaultTopic: topic,
  host: Host.development,
})
await client.send(new Notification(deviceToken, { alert: 'from apns2' }))
console.log(JSON.stringify({ sent: 1, failed: [] }))
await client.close()
