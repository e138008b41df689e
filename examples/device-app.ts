/**
 * A device with one app on it, against a system that runs (`carillon up --data DATA`):
 *
 *     node examples/device-app.ts DATA STATE PROFILE BUNDLE_ID
 *
 * STATE is the device's own directory, made on first use. PROFILE is the app's provisioning profile, one for all
 * devices (`--kind inhouse`): this device enrols itself.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startDevice } from '@carillon/device'
import { activateDevice } from '@carillon/portal'

const [dataDir, stateDir, profileFile, bundleId] = process.argv.slice(2)
if (!dataDir || !stateDir || !profileFile || !bundleId) {
  console.error('Usage: node examples/device-app.ts DATA STATE PROFILE BUNDLE_ID')
  process.exit(2)
}
const { caFile, portal, environments } = JSON.parse(await readFile(join(dataDir, 'endpoints.json'), 'utf8'))
const caPem = await readFile(caFile, 'utf8')
const { url } = portal
const enrolmentKey = (await readFile(portal.enrolmentKeyFile, 'utf8')).trim()
const profile = await readFile(profileFile)

const device = await startDevice({
  stateDir,
  caPem, // the portal's root: couriers and profiles are checked against it
  couriers: { sandbox: environments.sandbox.courier, production: environments.production.courier },
  activate: ({ csrPem }) => activateDevice({ url, caPem, enrolmentKey }, { csrPem, new: true }),
  now: Date.now,
  random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
  onEvent: (event) => console.error(event.event),
})

const app = await device.install({ bundleId, profile })
app.onNotification(({ apnsId, shown }) => {
  console.log(`${apnsId} ${shown.title ?? ''} ${shown.body ?? ''}`)
})
console.log(`token ${await app.register()}`) // give it to your provider, at every launch

process.once('SIGTERM', () => void device.close())
