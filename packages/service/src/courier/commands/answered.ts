import { courierAckStatus, type MessageOf } from '@carillon/wire'
import type { CourierSession } from '../session.ts'

/*
 * Commands of Apple's own services that a device may send and that mean nothing to ours. They are answered, so that no
 * client waits. Unverified against Apple: the statuses.
 */

/** What has a status is a reply itself. */
export function answerTask(
  session: CourierSession,
  message: MessageOf<'taskControl'> | MessageOf<'taskNotification'>,
): void {
  if (message.status !== undefined) return
  const { type, id } = message
  session.say({ type, ...(id === undefined ? {} : { id }), status: courierAckStatus.ok })
}

export function answerPresence(session: CourierSession, message: MessageOf<'presence'>): void {
  const { id, token } = message
  session.say({
    type: 'presenceReply',
    ...(id === undefined ? {} : { id }),
    ...(token === undefined ? {} : { token }),
    status: courierAckStatus.ok,
  })
}

/** Nobody takes messages from devices here. */
export function answerUpload(session: CourierSession, message: MessageOf<'upload'>): void {
  session.say({ type: 'uploadAck', id: message.id, status: courierAckStatus.noRecipient })
}

/** Without the part that serves them; a client may wait for the reply. */
export function refuseChannels(session: CourierSession, message: MessageOf<'channels'>): void {
  session.say({ type: 'channelsReply', id: message.id, status: courierAckStatus.noRecipient })
}
