// Without the HTTP API: this process is started again and again.
import { openPortal } from '../../src/portal.ts'

/*
 * A portal in a process of its own, to be killed: prints one JSON line for everything that was confirmed.
 * Arguments: data directory, and after how many requests for random bytes it kills itself (0: never).
 */
const [dataDir = '', suicideAfter = '0'] = process.argv.slice(2)
let asked = 0
const random = (bytes: number) => {
  asked++
  if (asked === Number(suicideAfter)) process.kill(process.pid, 'SIGKILL')
  return crypto.getRandomValues(new Uint8Array(bytes))
}
const tell = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)

const portal = await openPortal({ dataDir, now: Date.now, random })
tell({ rootPem: portal.ca.rootPem })
for (let number = 0; ; number++) {
  const { bundleId } = await portal.apps.create({ bundleId: `a.b${number}`, name: 'A' })
  tell({ bundleId })
  tell({ serial: (await portal.certificates.create({ bundleId, kind: 'sandbox' })).serial })
  tell({ keyId: (await portal.keys.create({ name: 'K' })).keyId })
  tell({ deviceId: (await portal.devices.add({ name: 'D' })).deviceId })
  tell({ uuid: (await portal.profiles.create({ bundleId, kind: 'appstore' })).uuid })
}
