// A program as it runs in production: it knows nothing of any other service than Apple's.
import { readFileSync } from 'node:fs'
import apn from '@parse/node-apn'

const [deviceToken, topic, keyFile, keyId, teamId] = process.argv.slice(2)
const provider = new apn.Provider({ token: { key: readFileSync(keyFile), keyId, teamId }, production: false })
const notification = new apn.Notification({ topic, alert: 'from node-apn', pushType: 'alert' })
const { sent, failed } = await provider.send(notification, deviceToken)
console.log(
  JSON.stringify({
    sent: sent.length,
    failed: failed.map(({ response, error }) => response ?? String(error)),
  }),
)
await provider.shutdown()
