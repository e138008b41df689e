/**
 * Preloaded (`node --import`), it sends connections for Apple's host to PUSH_PORT of this machine, whose certificate
 * is in PUSH_CA: an example that names nothing but Apple can then run in a test.
 */
import { readFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import tls from 'node:tls'

const connect = tls.connect
tls.connect = ((options: tls.ConnectionOptions) => {
  if (!options.host?.endsWith('.push.apple.com')) throw new Error(`${options.host} is not Apple's`)
  const { secureContext: _, ...rest } = options
  return connect({
    ...rest,
    host: '127.0.0.1',
    port: Number(process.env.PUSH_PORT),
    ca: readFileSync(process.env.PUSH_CA ?? '', 'utf8'),
    servername: 'localhost',
  })
}) as typeof tls.connect
syncBuiltinESMExports()
