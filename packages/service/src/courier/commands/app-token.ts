import { courierAckStatus, courierExtensions, type MessageOf } from '@carillon/wire'
import { limits } from '../../limits.ts'
import type { TokenRecord } from '../../registry/registry.ts'
import { OrderedReplies } from '../ordered-replies.ts'
import type { CourierSession } from '../session.ts'

/** The device asks for the token of a topic. Replies go out in the order of the requests. */
export function issueToken(session: CourierSession, request: MessageOf<'appTokenRequest'>): void {
  session.tokenReplies ??= new OrderedReplies((reply) => session.say(reply))
  const replies = session.tokenReplies
  if (replies.waiting >= limits.tokenRequestsWaitingMax) return session.close('too many token requests')
  // Copied, for it is kept while the registry works and would keep the whole chunk alive.
  const hash = Uint8Array.from(request.topicHash)
  const installation = installationOf(session, request)
  const place = replies.reserve()
  session.host.registry.issueToken(session.deviceRow, hash, installation).then(
    (record) => replies.settle(place, tokenReply(record, hash, request.appId)),
    (error: unknown) => {
      session.host.onTrouble('A token could not be issued; the device will ask again.', error)
      session.close('registry failed')
    },
  )
}

function installationOf(
  session: CourierSession,
  request: MessageOf<'appTokenRequest'>,
): Uint8Array | undefined {
  if ((session.extensions & courierExtensions.installation) === 0) return undefined
  return request.installation?.length === 8 ? Uint8Array.from(request.installation) : undefined
}

function tokenReply(
  record: TokenRecord | undefined,
  topicHash: Uint8Array,
  appId: number | undefined,
): MessageOf<'appTokenReply'> {
  const reply: MessageOf<'appTokenReply'> =
    record === undefined
      ? { type: 'appTokenReply', status: courierAckStatus.noRecipient, topicHash }
      : { type: 'appTokenReply', status: courierAckStatus.ok, token: record.tokenBytes, topicHash }
  return appId === undefined ? reply : { ...reply, appId }
}
