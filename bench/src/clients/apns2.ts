import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import * as apns2 from 'apns2'
import { runApns2 } from './apns2-program.ts'

// The client has no option for a port or a CA, so its pool is replaced by one with the same options and those two.
const { Pool } = createRequire(fileURLToPath(import.meta.resolve('apns2')))('undici')

await runApns2(apns2, (options, { url, material }) => {
  const pool = new Pool(url.origin, {
    connections: 32,
    pipelining: 1,
    allowH2: true,
    maxConcurrentStreams: 100,
    connect: { ca: material.ca },
  })
  return Object.assign(new apns2.ApnsClient(options), { client: pool })
})
