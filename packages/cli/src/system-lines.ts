import type { Endpoints } from '@carillon/system'

/** Where a running system is reached, and how many connections it has room for, for a person. */
export function systemLines(endpoints: Endpoints, openFilesMax: number | undefined): string[] {
  const { dataDir, caFile, portal, provider, environments } = endpoints
  const lines = [
    `Carillon is up (data in ${dataDir})`,
    `  portal      ${portal.url}`,
    `  provider    ${provider.url}`,
  ]
  for (const [name, { http2, binary, feedback, courier, admin }] of Object.entries(environments)) {
    const ports = [`HTTP/2 ${http2.host}:${http2.port}`, `courier ${courier.port}`]
    if (binary) ports.push(`binary ${binary.port}`)
    if (feedback) ports.push(`feedback ${feedback.port}`)
    lines.push(`  ${name.padEnd(10)}  ${ports.join(', ')}`)
    if (admin.url) lines.push(`              admin API ${admin.url}`)
  }
  return [...lines, `  root certificate  ${caFile}`, ...roomFor(openFilesMax), 'Ctrl-C ends it.']
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
