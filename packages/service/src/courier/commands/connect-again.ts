import { bytesEqual, courierConnectStatus, courierPresence, type MessageOf } from '@carillon/wire'
import type { CourierSession } from '../session.ts'

/**
 * A device that is known says that it withdraws, or is present again. Phones and Macs also connect for their watch
 * and their users; those tokens are not served here, and the answer says so for each.
 */
export function connectAgain(session: CourierSession, connect: MessageOf<'connect'>): void {
  const { token } = connect
  if (token !== undefined && !bytesEqual(token, session.baseToken)) {
    session.host.counters.misplacedMessages++
    if (connect.state === courierPresence.withdraw) return
    session.say({ type: 'tokenPresence', token, status: courierConnectStatus.rejected })
  } else if (connect.state === courierPresence.withdraw) session.withdraw()
  else session.presentAgain(connect)
}
