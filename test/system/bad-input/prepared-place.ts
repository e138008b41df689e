import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { openPortal } from '@carillon/portal'
import { Place } from '../run-carillon.ts'
import { bundleId, pushCertificate, type RunningApp, startApp } from '../running-app.ts'

/** A running system, and around it everything that a wrong command may name. */
export interface PreparedPlace {
  readonly place: Place
  readonly app: RunningApp
  /** A command as it is typed, with `@name` for a file of this place and `$name` for what is set up here. */
  words(command: string): string[]
  close(): Promise<void>
}

export async function preparePlace(): Promise<PreparedPlace> {
  const place = new Place()
  try {
    const app = await startApp(place)
    const [certificate, other] = await Promise.all([
      pushCertificate(place, 'sandbox'),
      pushCertificate(place, 'sandbox', '--key-type', 'rsa'),
      wrongFiles(place),
      profileOfAnotherPortal(place),
      killedSystem(place),
    ])
    const holder = await holdPort(2190)
    return {
      place,
      app,
      words: wordsOf(place, app, certificate, other),
      async close() {
        holder?.close()
        await place.close()
      },
    }
  } catch (error) {
    await place.close()
    throw error
  }
}

async function wrongFiles(place: Place): Promise<void> {
  const file = (name: string, content: string) => writeFile(place.path(name), content)
  await Promise.all([
    file('file', 'not a directory'),
    file('unknown.yaml', 'pushService:\n  fidelty: {}\n'),
    file('range.yaml', 'ports: auto\npushService:\n  fidelity: { streamsBeforeToken: 5000 }\n'),
    file('broken.pem', '-----BEGIN CERTIFICATE-----\nMIIBbroken\n-----END CERTIFICATE-----\n'),
    file('not-pem', 'hello'),
    file('not-json.json', '{"aps":'),
    file('list.json', '[1]'),
    file('empty.json', ''),
    file('large.json', JSON.stringify({ aps: { alert: 'x'.repeat(5000) } })),
    file('not-a.mobileprovision', 'hello'),
    file('not-a.csr', 'hello'),
    mkdir(place.path('damaged')).then(() => file('damaged/endpoints.json', '{"event":"rea')),
    mkdir(place.path('not-endpoints')).then(() => file('not-endpoints/endpoints.json', '{"event":"other"}')),
  ])
}

/** A profile for the app by another team, whose system does not run. */
async function profileOfAnotherPortal(place: Place): Promise<void> {
  const portal = await openPortal({ dataDir: place.path('foreign'), now: Date.now })
  try {
    await portal.apps.create({ bundleId, name: 'Example' })
    const { deviceId } = await portal.devices.add({ name: 'Phone' })
    const { der } = await portal.profiles.create({ bundleId, kind: 'development', deviceIds: [deviceId] })
    await writeFile(place.path('of-another-portal.mobileprovision'), der)
  } finally {
    await portal.close()
  }
}

/** A data directory whose system was killed: its endpoints.json names ports that nobody answers at. */
async function killedSystem(place: Place): Promise<void> {
  const { run } = await place.up(place.path('killed'))
  await run.end('SIGKILL')
}

/** Holds a port that `up --ports default` binds; where another program has it, that will do as well. */
async function holdPort(port: number): Promise<Server | undefined> {
  const holder = createServer().listen(port, '127.0.0.1')
  return Promise.race([
    once(holder, 'listening').then(() => holder),
    once(holder, 'error').then(() => undefined),
  ])
}

type Files = Awaited<ReturnType<typeof pushCertificate>>

function wordsOf(place: Place, app: RunningApp, certificate: Files, other: Files): PreparedPlace['words'] {
  const known: Readonly<Record<string, readonly string[]>> = {
    data: ['--data', place.data],
    app: ['--bundle-id', bundleId],
    key: app.auth,
    token: ['--token', app.deviceToken],
    sandbox: ['--environment', 'sandbox', '--topic', bundleId],
    own: ['--environment', 'sandbox'],
    device: ['device', 'run', '--app', bundleId],
    profile: ['--profile', app.profile],
    gateway: [`localhost:${app.gateway.port}`],
    team: [app.key.teamId],
    keyId: [app.key.keyId],
    keyFile: [app.key.file],
    cert: [certificate.certFile],
    certKey: [certificate.keyFile],
    otherKey: [other.keyFile],
  }
  let fresh = 0
  return (command) =>
    command.split(' ').flatMap((word) => {
      if (word === '$fresh') return [place.path(`fresh-${++fresh}`)]
      if (word.startsWith('@')) return [place.path(word.slice(1))]
      return word.startsWith('$') ? (known[word.slice(1)] ?? [word]) : [word]
    })
}
