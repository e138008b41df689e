import { writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { makeCertificate } from '../../../packages/apns/test/support/certificate.ts'
import { Child, core, freePort, listening } from './child.ts'
import { findProgram } from './programs.ts'

/** The peer of the courier: mosquitto over TLS, nothing kept on the disk. Undefined where it is not installed. */
export async function startMosquitto(folder: string): Promise<{ child: Child; port: number } | undefined> {
  const program = findProgram('mosquitto')
  if (program === undefined) return undefined
  const port = await freePort()
  const { cert, key } = makeCertificate()
  const files = { cert: join(folder, 'mosquitto.pem'), key: join(folder, 'mosquitto.key') }
  writeFileSync(files.cert, cert)
  writeFileSync(files.key, key, { mode: 0o600 })
  const configuration = join(folder, 'mosquitto.conf')
  const lines = [
    `listener ${port} 127.0.0.1`,
    `certfile ${files.cert}`,
    `keyfile ${files.key}`,
    `user ${userInfo().username}`,
    'allow_anonymous true',
    'persistence false',
    'set_tcp_nodelay true',
    // Without limits of its own, as the sender limits what is on its way.
    'max_inflight_messages 0',
    'max_queued_messages 0',
    'log_dest none',
  ]
  writeFileSync(configuration, `${lines.join('\n')}\n`)
  const child = new Child([program, '-c', configuration], core.server)
  await listening(port)
  return { child, port }
}
