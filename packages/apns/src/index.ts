export type {
  Alert,
  Aps,
  Environment,
  Json,
  Payload,
  PayloadProblem,
  Priority,
  PushType,
  ReasonText,
} from '@carillon/wire'
export type { Auth, CertificateAuth, P12Auth, TokenAuth } from './auth.ts'
export type { BinaryLimits } from './binary/binary-limits.ts'
export { DEFAULT_BINARY_LIMITS } from './binary/binary-limits.ts'
export type { BinaryPushClientOptions } from './binary/binary-options.ts'
export type {
  BinaryPush,
  BinaryPushAccepted,
  BinaryPushRejected,
  BinaryPushResult,
  BinaryPushUnanswered,
} from './binary/binary-push.ts'
export { BinaryPushClient } from './binary/binary-push-client.ts'
export { LegacyError, type LegacyErrorCode } from './binary/legacy-error.ts'
export type { LegacyOptions } from './binary/legacy-target.ts'
export type { Broadcast } from './broadcast.ts'
export * from './builders/index.ts'
export type { ChannelFailure, ChannelResult, ChannelSuccess } from './channel-result.ts'
export type { ChannelCallOptions, ChannelStorage, Channels } from './channels.ts'
export type { PushClientStats, RoundTrips } from './counters.ts'
export { nodeRuntime } from './drivers/node-runtime.ts'
export { ArgumentError } from './errors.ts'
export { FeedbackClient, type FeedbackClientOptions, type GoneToken } from './feedback/feedback-client.ts'
export { DEFAULT_LIMITS, type Limits } from './limits.ts'
export type { ChannelsAddress, PushClientOptions } from './options.ts'
export type { ProxyOptions, ProxyTarget } from './proxy.ts'
export type { Notification, Push } from './push.ts'
export { type CloseOptions, PushClient, type SendManyOptions } from './push-client.ts'
export {
  type PushAccepted,
  type PushRejected,
  type PushResult,
  type PushUnanswered,
  type SentPush,
  type TransportReason,
  transportReasons,
} from './result.ts'
export {
  type AmbiguityPolicy,
  ambiguityPolicies,
  type RetryClass,
  type RetryOptions,
  type RetryPace,
} from './retry-options.ts'
export type { Runtime, Target, Ticker, Transport } from './runtime.ts'
export { decodeSimulatorFile, encodeSimulatorFile, type SimulatorFile } from './simulator-file.ts'
export {
  type ClientName,
  type ConnectionChange,
  diagnosticsChannels,
  type PushDone,
  type PushRetry,
} from './telemetry.ts'
export type { PushRequest } from './to-request.ts'
