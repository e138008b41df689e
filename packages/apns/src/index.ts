export type { Environment, Priority, PushType, ReasonText } from '@carillon/wire'
export type { Auth, CertificateAuth, P12Auth, TokenAuth } from './credentials.ts'
export { ArgumentError } from './errors.ts'
export { DEFAULT_LIMITS, type Limits } from './limits.ts'
export type { PushClientOptions } from './options.ts'
export {
  type Push,
  type PushAccepted,
  type PushClientStats,
  type PushRejected,
  type PushResult,
  type PushUnanswered,
  type SentPush,
  type TransportReason,
  transportReasons,
} from './push.ts'
export { PushClient } from './push-client.ts'
export type { Runtime, Target, Ticker, Transport } from './runtime.ts'
