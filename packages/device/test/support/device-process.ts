import { writeSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { startDevice } from '../../src/index.ts'
import { randomWithBackOff } from './back-off-random.ts'

/*
 * A device in a process of its own, to be killed. It kills itself either before it looks at the `at`th piece of
 * what the courier sends ("bytes"), or instead of showing its `at`th notification ("show").
 */
const [options = '{}'] = process.argv.slice(2)
const { stateDir, caFile, profileFile, port, bundleId, where, at } = JSON.parse(options)

let met = 0
const meet = (place: string) => {
  if (place === where && ++met === at) process.kill(process.pid, 'SIGKILL')
}

const device = await startDevice({
  stateDir,
  caPem: await readFile(caFile, 'utf8'),
  couriers: { production: { host: '127.0.0.1', port } },
  activate: () => Promise.reject(new Error('it was activated before')),
  now: () => {
    meet('bytes')
    return Date.now()
  },
  random: randomWithBackOff(),
  onEvent: (event) => {
    if (event.event === 'notification') meet('show')
    writeSync(1, `${JSON.stringify(event)}\n`)
  },
})
await device.install({ bundleId, profile: await readFile(profileFile) })
