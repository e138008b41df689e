import type { reasons } from '@carillon/wire'
import type { Notification } from './notification.ts'

/** The type of each is its text, and there is no reason that the wire does not know. */
const reason = <R extends keyof typeof reasons>(text: R): R => text

/** The names of the client's events: the reasons of the service, and `error` for any of them. */
export const Errors = {
  badCertificate: reason('BadCertificate'),
  badCertificateEnvironment: reason('BadCertificateEnvironment'),
  badCollapseId: reason('BadCollapseId'),
  badDeviceToken: reason('BadDeviceToken'),
  badExpirationDate: reason('BadExpirationDate'),
  badMessageId: reason('BadMessageId'),
  badPath: reason('BadPath'),
  badPriority: reason('BadPriority'),
  badTopic: reason('BadTopic'),
  deviceTokenNotForTopic: reason('DeviceTokenNotForTopic'),
  duplicateHeaders: reason('DuplicateHeaders'),
  error: 'Error',
  expiredProviderToken: reason('ExpiredProviderToken'),
  forbidden: reason('Forbidden'),
  idleTimeout: reason('IdleTimeout'),
  internalServerError: reason('InternalServerError'),
  invalidProviderToken: reason('InvalidProviderToken'),
  invalidPushType: reason('InvalidPushType'),
  invalidSigningKey: 'InvalidSigningKey',
  methodNotAllowed: reason('MethodNotAllowed'),
  missingDeviceToken: reason('MissingDeviceToken'),
  missingProviderToken: reason('MissingProviderToken'),
  missingTopic: reason('MissingTopic'),
  payloadEmpty: reason('PayloadEmpty'),
  payloadTooLarge: reason('PayloadTooLarge'),
  serviceUnavailable: reason('ServiceUnavailable'),
  shutdown: reason('Shutdown'),
  tooManyProviderTokenUpdates: reason('TooManyProviderTokenUpdates'),
  tooManyRequests: reason('TooManyRequests'),
  topicDisallowed: reason('TopicDisallowed'),
  unknownError: 'UnknownError',
  unregistered: reason('Unregistered'),
} as const
export type Error = (typeof Errors)[keyof typeof Errors]

/** The body of an answer. */
export interface ApnsResponseError {
  reason: string
  timestamp: number
}

/** The service said no. */
export class ApnsError extends globalThis.Error {
  readonly statusCode: number
  readonly notification: Notification
  readonly response: ApnsResponseError

  constructor(props: { statusCode: number; notification: Notification; response: ApnsResponseError }) {
    super(`APNS Error: ${props.statusCode} - ${props.response.reason}`)
    this.statusCode = props.statusCode
    this.notification = props.notification
    this.response = props.response
  }

  get reason(): string {
    return this.response.reason
  }

  /** With 410: since when the token is inactive, in milliseconds since 1970. */
  get timestamp(): number {
    return this.response.timestamp
  }
}
