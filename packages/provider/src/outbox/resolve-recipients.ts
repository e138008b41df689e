import { apnsIdOf, type Environment, header, reasons } from '@carillon/wire'
import { ProviderError } from '../provider-error.ts'
import type { AppRegistry } from '../registry/app-registry.ts'
import type { Device, DeviceRegistry } from '../registry/device-registry.ts'
import type { NewRecipient } from './message.ts'
import type { MessageRequest } from './message-request.ts'

/** Whom a message is for, all of one app. */
export interface ResolvedRecipients {
  readonly bundleId: string
  readonly recipients: readonly NewRecipient[]
}

interface World {
  readonly apps: AppRegistry
  readonly devices: DeviceRegistry
  readonly random: (bytes: number) => Uint8Array
}

/**
 * Finds app and environment of each token: from its registration, or from the request where it has none.
 * Retired tokens become recipients that failed already; when no other is left the message is refused.
 */
export async function resolveRecipients(request: MessageRequest, world: World): Promise<ResolvedRecipients> {
  const tokens = [...new Set(request.tokens ?? [request.token!])]
  const devices = await Promise.all(tokens.map((token) => world.devices.get(token)))
  const bundleId = bundleIdOf(request, tokens, devices)
  const givenId = request.apns?.headers?.[header.apnsId]?.toLowerCase()
  const recipients = tokens.map((token, index): NewRecipient => {
    const device = devices[index]
    const environment = environmentOf(request, token, device)
    const apnsId = givenId ?? apnsIdOf(world.random(16))
    if (device?.retiredAt === undefined) return { token, environment, apnsId }
    const reason = device.retiredReason ?? reasons.Unregistered.text
    return { token, environment, apnsId, failed: { status: reasons.Unregistered.status, reason } }
  })
  assertSomeAlive(recipients, devices)
  const wanted = new Set(recipients.map(({ environment }) => environment))
  await Promise.all([...wanted].map((environment) => world.apps.assertReachable(bundleId, environment)))
  return { bundleId, recipients }
}

function bundleIdOf(
  request: MessageRequest,
  tokens: readonly string[],
  devices: readonly (Device | undefined)[],
): string {
  const bundleId = request.bundleId ?? devices.find((device) => device !== undefined)?.bundleId
  if (bundleId === undefined) throw unknownDevice(tokens[0]!)
  for (const device of devices) {
    if (device === undefined || device.bundleId === bundleId) continue
    const sentence = `The device token ${device.token} belongs to ${device.bundleId}, not to ${bundleId}; send it a message of its own.`
    throw request.bundleId === undefined
      ? new ProviderError('RECIPIENTS_MIXED', sentence)
      : new ProviderError('DEVICE_OF_OTHER_APP', sentence, { reason: reasons.DeviceTokenNotForTopic.text })
  }
  return bundleId
}

function environmentOf(request: MessageRequest, token: string, device: Device | undefined): Environment {
  const environment = device?.environment ?? request.environment
  if (environment === undefined || (device === undefined && request.bundleId === undefined)) {
    throw unknownDevice(token)
  }
  if (device === undefined || request.environment === undefined || request.environment === environment) {
    return environment
  }
  throw new ProviderError(
    'INVALID_REQUEST',
    `The device token ${token} belongs to ${environment}, not to ${request.environment}; leave environment out.`,
    { reason: reasons.BadDeviceToken.text },
  )
}

function assertSomeAlive(
  recipients: readonly NewRecipient[],
  devices: readonly (Device | undefined)[],
): void {
  const dead = recipients[0]!
  if (dead.failed === undefined || recipients.some(({ failed }) => failed === undefined)) return
  const since = new Date(devices[0]!.retiredAt!).toISOString()
  throw new ProviderError(
    'DEVICE_RETIRED',
    `The device token ${dead.token} was retired at ${since} because the push service answered ${dead.failed.reason}; it works again when the app registers it anew.`,
    { reason: dead.failed.reason },
  )
}

function unknownDevice(token: string): ProviderError {
  return new ProviderError(
    'DEVICE_UNKNOWN',
    `The device token ${token} is not registered; let the app register it with PUT /v1/devices/{token}, or name bundleId and environment.`,
  )
}
