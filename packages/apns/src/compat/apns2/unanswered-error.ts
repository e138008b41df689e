import type { PushUnanswered, TransportReason } from '../../result.ts'

/** The codes with which the original's HTTP client fails in the same place. */
const codes: Readonly<Record<TransportReason, string>> = {
  ConnectionLost: 'UND_ERR_SOCKET',
  StreamReset: 'UND_ERR_INFO',
  DeadlineExceeded: 'UND_ERR_HEADERS_TIMEOUT',
  ConnectFailed: 'UND_ERR_CONNECT_TIMEOUT',
  Refused: 'UND_ERR_INFO',
  QueueFull: 'UND_ERR_INFO',
  ClientClosed: 'UND_ERR_CLOSED',
  Aborted: 'UND_ERR_ABORTED',
}

/** No answer of the service is there: the connection failed, or the client was closed. */
export class UnansweredError extends Error {
  override readonly name = 'UnansweredError'
  readonly code: string
  /** Whether the device may get it all the same. */
  readonly ambiguous: boolean

  constructor({ reason, hint, ambiguous }: PushUnanswered, wasDestroyed: boolean) {
    super(hint)
    this.code = reason === 'ClientClosed' && wasDestroyed ? 'UND_ERR_DESTROYED' : codes[reason]
    this.ambiguous = ambiguous
  }
}
