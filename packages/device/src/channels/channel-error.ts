import { DeviceError } from '../device-error.ts'
import { limits } from '../limits.ts'

export function channelRefused(channelId: string): DeviceError {
  return new DeviceError(
    'CHANNEL_UNKNOWN',
    `There is no channel ${channelId} for this app.`,
    'Take the id that came back when the channel was created, in the environment of the app.',
  )
}

export function channelInvalid(channelId: string): DeviceError {
  return new DeviceError(
    'CHANNEL_INVALID',
    `"${channelId}" is no channel id.`,
    'Channel ids are standard base64, of 24 characters as a rule.',
  )
}

export function channelUnanswered(channelId: string): DeviceError {
  return new DeviceError(
    'CHANNEL_UNANSWERED',
    `The push service did not confirm the channel ${channelId} within ${limits.registerMsMax / 1000} s.`,
    'Check that the push service runs; the device subscribes as soon as it is connected.',
  )
}

export function channelAppMissing(bundleId: string): DeviceError {
  return new DeviceError('CHANNEL_APP_MISSING', `The app ${bundleId} is not installed.`, 'Install it first.')
}

export function channelsFull(): DeviceError {
  return new DeviceError(
    'CHANNEL_LIMIT',
    `This device listens to ${limits.channelsMax} channels, which is all it can.`,
    'Unsubscribe from channels that are no longer needed.',
  )
}
