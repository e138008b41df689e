/** The paths of the provider API, in builders and one parser. A bundle id in a path is bare, without a suffix. */

const devicePrefix = '/3/device/'
const appsPrefix = '/1/apps/'
const broadcastPrefix = '/4/broadcasts/apps/'

/** What a path asks for. `token` and `bundleId` are as the client wrote them, not yet checked; '' if missing. */
export type GatewayPath =
  | { readonly api: 'device'; readonly token: string }
  | { readonly api: 'broadcast'; readonly bundleId: string }
  | { readonly api: 'channels'; readonly bundleId: string }
  | { readonly api: 'all-channels'; readonly bundleId: string }

/** `POST` here sends one notification to one device. */
export function devicePath(token: string): string {
  return devicePrefix + token
}

/** `POST` here publishes to a channel of the app. */
export function broadcastPath(bundleId: string): string {
  return broadcastPrefix + bundleId
}

/** `POST`, `GET` and `DELETE` here create, read and delete a channel of the app. */
export function channelsPath(bundleId: string): string {
  return `${appsPrefix + bundleId}/channels`
}

/** `GET` here lists the channels of the app. */
export function allChannelsPath(bundleId: string): string {
  return `${appsPrefix + bundleId}/all-channels`
}

/**
 * The device token part of a device path: '' when the token is missing (`/3/device/` or `/3/device`), undefined
 * when the path is another one. The token is not checked. Allocates nothing but the returned string.
 */
export function parseDevicePath(path: string): string | undefined {
  if (path.startsWith(devicePrefix)) {
    const token = path.slice(devicePrefix.length)
    return token.indexOf('/') === -1 ? token : undefined
  }
  return path.length === devicePrefix.length - 1 && devicePrefix.startsWith(path) ? '' : undefined
}

/** True for the paths of channel management and of broadcasts, well formed or not. */
export function isChannelPath(path: string): boolean {
  return path.startsWith(appsPrefix) || path.startsWith(broadcastPrefix)
}

/** Any path of the provider API; undefined answers BadPath. */
export function parseGatewayPath(path: string): GatewayPath | undefined {
  const token = parseDevicePath(path)
  if (token !== undefined) return { api: 'device', token }
  if (path.startsWith(broadcastPrefix)) {
    const bundleId = path.slice(broadcastPrefix.length)
    return isSegment(bundleId) ? { api: 'broadcast', bundleId } : undefined
  }
  if (!path.startsWith(appsPrefix)) return undefined
  const end = path.indexOf('/', appsPrefix.length)
  const bundleId = path.slice(appsPrefix.length, end)
  if (end === -1 || !isSegment(bundleId)) return undefined
  const rest = path.slice(end + 1)
  return rest === 'channels' || rest === 'all-channels' ? { api: rest, bundleId } : undefined
}

function isSegment(text: string): boolean {
  return text.length > 0 && text.indexOf('/') === -1 && text.indexOf('?') === -1
}
