import { createPublicKey, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startService } from '@carillon/service'
import { bundleId, keyId, MemoryAuthority } from '../../../packages/service/test/memory-authority.ts'
import { print } from '../clients/print.ts'

/**
 * The push service as `carillon up` runs it, one environment with everything on: authentication, validation, registry,
 * store, traces, metrics; on what `make-material.ts` has made in DIR. Prints one JSON line when it is ready, ends on
 * SIGTERM.
 *
 *     node bench/src/servers/push-service.ts --data DIR
 */
const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    // As fast as devices can shake hands: how a storm is slowed down is measured apart.
    handshakes: { type: 'string', default: '100000' },
  },
})
if (values.data === undefined) throw new Error('--data DIR says where the database and the material are')
const dataDir = values.data
const read = (name: string): string => readFileSync(join(dataDir, name), 'utf8')

const { deviceCaPem, publicKey } = JSON.parse(read('material.json'))
const authority = new MemoryAuthority()
authority.deviceCaPem.push(...deviceCaPem)
authority.pushCaPem.push(read('ca.pem'))
authority.setApp(bundleId, { broadcastEnabled: true })
authority.setKey(keyId, createPublicKey(publicKey))

const service = await startService({
  environment: 'production',
  dataDir,
  authority,
  tls: { certPem: read('server.pem'), keyPem: read('server.key') },
  host: '127.0.0.1',
  ports: { http2: 0, courier: 0 },
  now: () => Date.now(),
  random: (bytes) => randomBytes(bytes),
  onTrouble: (sentence, cause) => console.error(sentence, cause),
  // Counted, but never reached: some loads have one token only.
  fidelity: { requestsPerTokenPerMinuteMax: 1_000_000_000 },
  // 0 for what the service does by itself.
  admission: values.handshakes === '0' ? {} : { handshakesPerSecond: Number(values.handshakes) },
})
const ready = { event: 'ready', port: service.http2.port, courierPort: service.courier.port }
print(ready)
process.once('SIGTERM', () => service.close())
