import { ErrorCode } from '@carillon/http2'
import { type ConnectFailure, connectFailureOf } from '../connect-failure.ts'
import type { LegacyTarget } from './legacy-target.ts'

/** `CONNECT_FAILED`: no connection. `CUT_OFF`: it ended before everything was told. `DAMAGED`: not the protocol. */
export type LegacyErrorCode = 'CONNECT_FAILED' | 'CUT_OFF' | 'DAMAGED'

/** What went wrong between a client of the original protocol and its service, in one sentence. */
export class LegacyError extends Error {
  override readonly name = 'LegacyError'
  readonly code: LegacyErrorCode

  constructor(code: LegacyErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/** Why a connection could not be made, in a sentence, with what to do where that is known. */
export function legacyConnectFailure({ host, port }: LegacyTarget, cause: Error | undefined): ConnectFailure {
  const reason = {
    kind: 'transportError',
    code: ErrorCode.CONNECT_ERROR,
    message: 'it was closed',
    cause,
  } as const
  const failure = connectFailureOf(reason, host, port)
  return { ...failure, message: failure.message.replace(/\.?$/, '.') }
}
