import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { ApnsClient, Notification, PushType } from 'apns2'
import { run } from './run.ts'

// The client has no option for a port or a CA, so its pool is replaced by one with the same options and those two.
const { Pool } = createRequire(fileURLToPath(import.meta.resolve('apns2')))('undici')

await run(({ url, material }) => {
  const client = new ApnsClient({
    team: material.teamId,
    keyId: material.keyId,
    signingKey: material.privateKey,
    defaultTopic: material.topic,
    host: url.hostname,
  })
  const pool = new Pool(url.origin, {
    connections: 32,
    pipelining: 1,
    allowH2: true,
    maxConcurrentStreams: 100,
    connect: { ca: material.ca },
  })
  Object.assign(client, { client: pool })
  return {
    async send(n) {
      const notification = new Notification(material.deviceToken, {
        type: PushType.alert,
        aps: { alert: `Hello number ${n}`, sound: 'default' },
        expiration: 0,
      })
      return client.send(notification).then(
        () => true,
        () => false,
      )
    },
    close: () => client.destroy(),
  }
})
