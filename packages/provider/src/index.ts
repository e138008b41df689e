export type { After } from './dispatch/lane.ts'
export { limits as providerLimits } from './limits.ts'
export { providerMigrations } from './migrations.ts'
export { connectPushClient, type Provider, type ProviderOptions, startProvider } from './provider.ts'
export { ProviderError, type ProviderErrorCode } from './provider-error.ts'
export type {
  ConnectSender,
  Credentials,
  Sender,
  SenderOptions,
  SenderPush,
  SendResult,
  ServiceAddress,
} from './sender.ts'
