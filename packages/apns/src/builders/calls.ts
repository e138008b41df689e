import { type BuilderOptions, type BuiltNotification, build } from './build.ts'

/** For {@link voip} and {@link pushToTalk}: what the app needs stands in `data`. */
export type CallOptions = BuilderOptions

/**
 * An incoming call, at priority 10 and for now only: a phone that comes back later shall not ring for a call that is
 * over. Up to 5120 bytes.
 */
// Unverified against Apple: expiration 0 is our choice for calls.
export const voip = (options: CallOptions): BuiltNotification<'voip'> =>
  build('voip', options, { aps: {}, priority: 10, expiration: 0 })

/** A Push to Talk transmission. Apple: "Sending notification requests to APNs": priority 10, expiration 0. */
export const pushToTalk = (options: CallOptions): BuiltNotification<'pushtotalk'> =>
  build('pushtotalk', options, { aps: {}, priority: 10, expiration: 0 })
