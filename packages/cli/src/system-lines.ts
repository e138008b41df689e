import type { Endpoints, EnvironmentEndpoints } from '@carillon/system'

/** Where a running system is reached, and how many connections it has room for, for a person. */
export function systemLines(endpoints: Endpoints, openFilesMax: number | undefined): string[] {
  const { dataDir, caFile, portal, provider, environments } = endpoints
  return [
    `Carillon is up (data in ${dataDir})`,
    named('portal', portal.url),
    named('provider', provider.url),
    ...Object.entries(environments).flatMap(([name, environment]) => environmentLines(name, environment)),
    named('root CA', caFile),
    ...roomFor(openFilesMax),
    'Ctrl-C ends it.',
  ]
}

/** The ports of one push service, a line for each kind of those who connect. */
function environmentLines(name: string, environment: EnvironmentEndpoints): string[] {
  const { http2, binary, feedback, courier, courierWebSocket, admin } = environment
  const providers = [`HTTP/2 ${http2.host}:${http2.port}`]
  if (binary) providers.push(`binary ${binary.port}`)
  if (feedback) providers.push(`feedback ${feedback.port}`)
  const devices = [`courier ${courier.host}:${courier.port}`]
  if (courierWebSocket.url) devices.push(`WebSocket ${courierWebSocket.url}`)
  return [
    named(name, `providers  ${providers.join(', ')}`),
    named('', `devices    ${devices.join(', ')}`),
    ...(admin.url ? [named('', `admin API  ${admin.url}`)] : []),
  ]
}

function named(name: string, what: string): string {
  return `  ${name.padEnd(10)}  ${what}`
}

/** Files that a system has open beside its connections, with a few to spare. */
const ownFiles = 200

/** How many devices and providers the system's limit of open files has room for; each is a file. */
function roomFor(filesMax: number | undefined): string[] {
  if (filesMax === undefined || filesMax === Number.POSITIVE_INFINITY) return []
  const room = Math.max(0, filesMax - ownFiles).toLocaleString('en-US')
  const total = filesMax.toLocaleString('en-US')
  return [`  room for about ${room} connections: ${total} open files are allowed (ulimit -n)`]
}
