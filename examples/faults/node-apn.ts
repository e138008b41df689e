// What a provider made with @parse/node-apn does when the service says GOAWAY in the middle of a batch.
// Run it with NODE_EXTRA_CA_CERTS=$CA_FILE, so that the admin API is trusted as well.
import { readFileSync } from 'node:fs'
import apn from '@parse/node-apn'

const { ADMIN_URL = '', ADMIN_KEY_FILE = '', CA_FILE = '', HOST = 'localhost', PORT = '12197' } = process.env
const { KEY_FILE = '', KEY_ID = '', TEAM_ID = '', TOPIC = '', DEVICE_TOKEN = '' } = process.env

async function faults(method: string, body?: object): Promise<void> {
  const response = await fetch(`${ADMIN_URL}/v1/faults`, {
    method,
    headers: {
      authorization: `Bearer ${readFileSync(ADMIN_KEY_FILE, 'utf8').trim()}`,
      'content-type': 'application/json',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  if (!response.ok) throw new Error(await response.text())
}

await faults('PUT', {
  rules: [
    {
      id: 'away',
      match: { app: TOPIC, after: 50, perConnection: true },
      fault: { kind: 'goaway', reason: 'Shutdown' },
    },
  ],
})

const provider = new apn.Provider({
  token: { key: KEY_FILE, keyId: KEY_ID, teamId: TEAM_ID },
  address: HOST,
  port: Number(PORT),
  ca: [CA_FILE],
})
const notification = new apn.Notification({ topic: TOPIC, pushType: 'alert', alert: 'Hello' })
const { sent, failed } = await provider.send(notification, new Array(200).fill(DEVICE_TOKEN))
console.log(`${sent.length} sent, ${failed.length} failed`)
await provider.shutdown()
await faults('DELETE')
