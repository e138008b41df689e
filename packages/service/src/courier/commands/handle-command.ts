import { courierAckStatus, type MessageFromDevice } from '@carillon/wire'
import type { CourierSession } from '../session.ts'
import { answerPresence, answerTask, answerUpload, refuseChannels } from './answered.ts'
import { issueToken } from './app-token.ts'
import { connectAgain } from './connect-again.ts'
import { changeFilter } from './filter.ts'
import { answerFlush } from './flush.ts'
import { answerKeepAlive } from './keep-alive.ts'
import { noteActiveInterval, noteState } from './state.ts'

/**
 * What a connected device says, one handler a command.
 *
 * @param steadyMs by the host's steady clock; what other parts are told carries the time of the host's `now`
 */
export function handleCommand(session: CourierSession, message: MessageFromDevice, steadyMs: number): void {
  const { counters, hooks } = session.host
  switch (message.type) {
    case 'ack':
      counters.acknowledgements++
      session.inbox?.acknowledged(message.id, message.status ?? courierAckStatus.ok)
      return
    case 'filter':
      return changeFilter(session, message)
    case 'keepAlive':
      return answerKeepAlive(session, message, steadyMs)
    case 'appTokenRequest':
      return issueToken(session, message)
    case 'flush':
      return answerFlush(session, message)
    case 'connect':
      return connectAgain(session, message)
    case 'state':
      return noteState(session, message, steadyMs)
    case 'activeInterval':
      return noteActiveInterval(session, message, steadyMs)
    case 'channels':
      if (hooks.channels === undefined) return refuseChannels(session, message)
      return hooks.channels.subscribed(session, message, session.host.now())
    case 'tracingAck':
      return hooks.reports?.reported(session, message, session.host.now())
    case 'taskControl':
    case 'taskNotification':
      return answerTask(session, message)
    case 'presence':
      return answerPresence(session, message)
    case 'upload':
      return answerUpload(session, message)
    case 'unknown':
      counters.unknownCommands++
      return
    case 'unusable':
      counters.unusableMessages++
      return
    default:
      // Nothing to do: transport acknowledgements, and the reply to a probe that this courier never sends.
      return
  }
}
