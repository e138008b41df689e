import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Child, core, freePort, listening } from './child.ts'
import { findProgram } from './programs.ts'

export interface StaticServer {
  readonly child: Child
  readonly port: number
}

/**
 * The peer of the gateway: nghttp2's server, which answers one path with an empty file and checks nothing. Undefined
 * where it is not installed.
 */
export async function startNghttpd(
  folder: string,
  path: string,
  certificate: { cert: string; key: string },
): Promise<StaticServer | undefined> {
  const program = findProgram('nghttpd')
  if (program === undefined) return undefined
  const root = join(folder, 'static')
  const file = join(root, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, '')
  const port = await freePort()
  const { cert, key } = certificate
  const child = new Child(
    [program, '-m', '1000', '-a', '127.0.0.1', '-d', root, String(port), key, cert],
    core.server,
  )
  await listening(port)
  return { child, port }
}
