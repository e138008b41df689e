import { ArgumentError, kindOf } from './errors.ts'
import { PendingPush } from './pending-push.ts'
import type { Preparer } from './prepare.ts'
import type { Notification, Push } from './push.ts'
import type { PushPool } from './push-pool.ts'
import type { SentPush } from './result.ts'
import { ManyLane, type ManyOptions, type Source } from './send-many.ts'

/** One notification for all, or what to send to each; `index` counts from 0. */
export type NotificationFor<N extends Notification> = N | ((deviceToken: string, index: number) => N)

/** `sendMany` of pushes, each with its own token. */
export const sendPushes = <P extends Push>(
  preparer: Preparer,
  pool: PushPool,
  pushes: Source<P>,
  options: ManyOptions,
): AsyncGenerator<SentPush<P>, void, undefined> => {
  const lane = new ManyLane<P, P>(
    {
      sendFor: (lane, index, push) => submit(preparer, pool, lane, index, push, push?.deviceToken),
      takeBack: (pending) => pool.abort(pending),
    },
    pushes,
    options,
  )
  return lane.results()
}

/** `sendMany` of one notification, or one for each token, to a stream of tokens. */
export const sendToTokens = <N extends Notification>(
  preparer: Preparer,
  pool: PushPool,
  notification: NotificationFor<N>,
  deviceTokens: Source<string>,
  options: ManyOptions,
): AsyncGenerator<SentPush<N>, void, undefined> => {
  if (typeof notification !== 'function' && (typeof notification !== 'object' || notification === null)) {
    throw new ArgumentError('notification', `give a notification or a function, not ${kindOf(notification)}`)
  }
  // One payload for everybody is encoded once.
  const template =
    typeof notification === 'function'
      ? undefined
      : { ...notification, payload: preparer.encode(notification.payload) }
  const lane = new ManyLane<string, N>(
    {
      sendFor(lane, index, deviceToken) {
        const own = typeof notification === 'function' ? notification(deviceToken, index) : notification
        submit(preparer, pool, lane, index, own, deviceToken, template)
      },
      takeBack: (pending) => pool.abort(pending),
    },
    deviceTokens,
    options,
  )
  return lane.results()
}

const submit = <T, N extends Notification>(
  preparer: Preparer,
  pool: PushPool,
  lane: ManyLane<T, N>,
  index: number,
  source: N,
  deviceToken: string,
  prepared: Notification = source,
): void => {
  const pending = preparer.prepare(prepared, deviceToken)
  if (!(pending instanceof PendingPush)) return lane.done(index, deviceToken, source, pending)
  pending.lane = lane
  pending.index = index
  pending.source = source
  pending.deviceToken = deviceToken
  lane.took(pending)
  pool.submit(pending)
}
