import { PushClient } from '@carillon/apns'

const [deviceToken, topic, keyFile, keyId, teamId] = process.argv.slice(2)
const client = new PushClient({ auth: { type: 'token', keyId, teamId, keyFile }, environment: 'sandbox' })
const result = await client.send({ deviceToken, topic, payload: { aps: { alert: 'from carillon' } } })
console.log(JSON.stringify({ sent: result.ok ? 1 : 0, failed: result.ok ? [] : [result.message] }))
await client.close()
