export { ApnsClient, type ApnsOptions, Host, type PrivateKey, type SigningToken } from './client.ts'
export { ApnsError, type ApnsResponseError, type Error, Errors } from './errors.ts'
export {
  type ApnsPayload,
  type CriticalAlertSoundPayload,
  Notification,
  type NotificationOptions,
  SilentNotification,
} from './notification.ts'
export { Priority } from './priority.ts'
export { PushType } from './push-type.ts'
export { UnansweredError } from './unanswered-error.ts'
