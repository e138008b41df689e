import { PushClient } from '@carillon/apns'
import { run } from './run.ts'

await run(({ url, material }) => {
  const client = new PushClient({
    auth: { type: 'token', ...material },
    environment: 'sandbox',
    host: url.hostname,
    port: Number(url.port),
    ca: material.ca,
    // One connection, as the other clients have.
    limits: { connectionsMax: 1 },
  })
  const { topic, expiration = 0, deviceTokens = [material.deviceToken] } = material
  return {
    async send(n) {
      const result = await client.send({
        deviceToken: deviceTokens[n % deviceTokens.length]!,
        topic,
        pushType: 'alert',
        priority: 10,
        expiration,
        payload: { aps: { alert: `Hello number ${n}`, sound: 'default' } },
      })
      return result.ok
    },
    close: () => client.close(),
  }
})
