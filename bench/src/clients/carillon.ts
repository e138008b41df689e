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
  const { deviceToken, topic } = material
  return {
    async send(n) {
      const result = await client.send({
        deviceToken,
        topic,
        pushType: 'alert',
        priority: 10,
        expiration: 0,
        payload: { aps: { alert: `Hello number ${n}`, sound: 'default' } },
      })
      return result.ok
    },
    close: () => client.close(),
  }
})
