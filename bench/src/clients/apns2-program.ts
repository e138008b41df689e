import type * as Apns2 from 'apns2'
import { type Arguments, run } from './run.ts'

/** As much of either package as the program uses. */
interface Package {
  readonly Notification: new (
    deviceToken: string,
    options: Pick<Apns2.NotificationOptions, 'type' | 'aps' | 'expiration'>,
  ) => Apns2.Notification
  readonly PushType: { readonly alert: Apns2.PushType }
}

interface Client {
  send(notification: Apns2.Notification): Promise<unknown>
  destroy(): unknown
}

/** A program for apns2, run with the original or with what takes its place. */
export const runApns2 = (
  { Notification, PushType }: Package,
  open: (options: Apns2.ApnsOptions, given: Arguments) => Client,
) =>
  run((given) => {
    const { url, material } = given
    const options = {
      team: material.teamId,
      keyId: material.keyId,
      signingKey: material.privateKey,
      defaultTopic: material.topic,
      host: url.hostname,
    }
    const client = open(options, given)
    return {
      send(n) {
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
