import type Apn from '@parse/node-apn'
import { run } from './run.ts'

/** A program for node-apn, run with the original or with what takes its place. */
export const runNodeApn = (apn: typeof Apn) =>
  run(({ url, material }) => {
    const provider = new apn.Provider({
      token: { key: material.privateKey, keyId: material.keyId, teamId: material.teamId },
      address: url.hostname,
      port: Number(url.port),
      ca: [material.ca],
    })
    return {
      async send(n) {
        const notification = new apn.Notification({ aps: { alert: `Hello number ${n}`, sound: 'default' } })
        notification.topic = material.topic
        notification.pushType = 'alert'
        notification.priority = 10
        notification.expiry = 0
        const { sent } = await provider.send(notification, material.deviceToken)
        return sent.length === 1
      },
      close: () => provider.shutdown(),
    }
  })
