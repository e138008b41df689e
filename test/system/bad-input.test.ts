import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { openPortal } from '@carillon/portal'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type JsonLine, Place } from './run-carillon.ts'
import { bundleId, type RunningApp, startApp } from './running-app.ts'

const place = new Place()
let app: RunningApp
/** Data directory of another team, whose system does not run. */
const foreign = place.path('foreign')
/** Holds the port that `up --ports default` binds first; where another program has it, that will do as well. */
let holder: Server | undefined

beforeAll(async () => {
  app = await startApp(place)
  const file = (name: string, content: string) => writeFile(place.path(name), content)
  await Promise.all([
    file('file', 'not a directory'),
    file('broken.pem', '-----BEGIN CERTIFICATE-----\nMIIBbroken\n-----END CERTIFICATE-----\n'),
    file('not-pem', 'hello'),
    file('not-json.json', '{"aps":'),
    file('list.json', '[1]'),
    file('empty.json', ''),
    file('large.json', JSON.stringify({ aps: { alert: 'x'.repeat(5000) } })),
    file('not-a.mobileprovision', 'hello'),
    file('not-a.csr', 'hello'),
    profilesOfOthers(),
    mkdir(place.path('damaged')).then(() => file('damaged/endpoints.json', '{"event":"rea')),
    mkdir(place.path('not-endpoints')).then(() => file('not-endpoints/endpoints.json', '{"event":"other"}')),
    killedSystem(),
  ])
  const of = ['--bundle-id', bundleId, '--kind', 'sandbox', '--out', place.path('certs')]
  await place.line('portal', 'cert', 'create', '--data', place.data, ...of)
  await place.line(
    'portal',
    'cert',
    'create',
    '--data',
    place.data,
    ...of.slice(0, -1),
    place.path('certs-2'),
  )
  holder = createServer().listen(2190, '127.0.0.1')
  await Promise.race([once(holder, 'listening'), once(holder, 'error').then(() => (holder = undefined))])
})
afterAll(async () => {
  holder?.close()
  await place.close()
})

/** A profile that ended two years ago, made by this portal; one by another portal; one for another app. */
async function profilesOfOthers(): Promise<void> {
  const other = await openPortal({ dataDir: foreign, now: Date.now })
  try {
    await other.apps.create({ bundleId, name: 'Example' })
    const { deviceId } = await other.devices.add({ name: 'Phone' })
    const { der } = await other.profiles.create({ bundleId, kind: 'development', deviceIds: [deviceId] })
    await writeFile(place.path('of-another-portal.mobileprovision'), der)
  } finally {
    await other.close()
  }
}

/** A data directory whose system was killed: its endpoints.json names ports that nobody answers at. */
async function killedSystem(): Promise<void> {
  const { run } = await place.up(place.path('killed'))
  await run.end('SIGKILL')
}

let fresh = 0
/** A command as it is typed, with `@name` for a file of this place and `$name` for what is set up here. */
function words(command: string): string[] {
  const known: Record<string, string[]> = {
    data: ['--data', place.data],
    app: ['--bundle-id', bundleId],
    key: ['--key', app.key.file, '--key-id', app.key.keyId, '--team-id', app.key.teamId],
    token: ['--token', app.deviceToken],
    sandbox: ['--environment', 'sandbox', '--topic', bundleId],
    device: ['device', 'run', '--app', bundleId],
    fresh: [place.path(`fresh-${++fresh}`)],
    profile: ['--profile', app.profile],
    gateway: [`localhost:${app.gateway.port}`],
    team: [app.key.teamId],
    keyId: [app.key.keyId],
    keyFile: [app.key.file],
    cert: [place.path('certs', `aps_sandbox_${bundleId}.pem`)],
    certKey: [place.path('certs', `aps_sandbox_${bundleId}.key.pem`)],
    otherKey: [place.path('certs-2', `aps_sandbox_${bundleId}.key.pem`)],
  }
  return command.split(' ').flatMap((word) => {
    if (word.startsWith('@')) return [place.path(word.slice(1))]
    return word.startsWith('$') ? (known[word.slice(1)] ?? [word]) : [word]
  })
}

/** What was done wrong, the command, its code, and what the sentence names. */
type Case = readonly [what: string, command: string, code: string | RegExp, sentence: RegExp]

const onSystems: readonly Case[] = [
  ['port taken', 'up --data $fresh --ports default', 'PORT_TAKEN', /2190.*taken/],
  ['foreign address', 'up --data $fresh --ports auto --host 192.0.2.1', 'ADDRESS', /192\.0\.2\.1/],
  ['data directory in use', 'up $data --ports auto', 'DATA_DIRECTORY_IN_USE', /in use/],
  ['data directory under a file: up', 'up --data @file/data', 'DATA_DIRECTORY', /file\/data/],
  ['data directory is a file: up', 'up --data @file', 'DATA_DIRECTORY', /file cannot be used/],
  [
    'data directory under a file: portal',
    'portal app list --data @file/data',
    'DATA_DIRECTORY',
    /file\/data/,
  ],
  [
    'data directory under a file: device',
    '$device --data @file/data --state $fresh $profile',
    'NOT_RUNNING',
    /file\/data/,
  ],
  [
    'damaged endpoints.json: portal',
    'portal app list --data @damaged',
    'ENDPOINTS_UNREADABLE',
    /damaged\/endpoints\.json/,
  ],
  [
    'damaged endpoints.json: device',
    '$device --data @damaged --state $fresh $profile',
    'ENDPOINTS_UNREADABLE',
    /damaged\/endpoints\.json/,
  ],
  [
    'endpoints.json of something else',
    'portal app list --data @not-endpoints',
    'ENDPOINTS_UNREADABLE',
    /not-endpoints\/endpoints\.json/,
  ],
  ['no system there', '$device --data @nowhere --state $fresh $profile', 'NOT_RUNNING', /nowhere/],
  ['system was killed', '$device --data @killed --state $fresh $profile', /./, /./],
]

const atThePortal: readonly Case[] = [
  ['App ID twice', 'portal app create $data $app --name Again', 'APP_EXISTS', /com\.example\.app/],
  [
    'bundle id that is none',
    'portal app create $data --bundle-id a,b --name Bad',
    'BUNDLE_ID_INVALID',
    /a,b/,
  ],
  [
    'unknown bundle id: certificate',
    'portal cert create $data --bundle-id com.nobody --kind sandbox --out $fresh',
    'APP_UNKNOWN',
    /com\.nobody/,
  ],
  [
    'unknown bundle id: profile',
    'portal profile create $data --bundle-id com.nobody --kind appstore --out $fresh',
    'APP_UNKNOWN',
    /com\.nobody/,
  ],
  [
    'unknown device: profile',
    'portal profile create $data $app --kind development --device ZZZZZZZZZZ --out $fresh',
    'DEVICE_UNKNOWN',
    /ZZZZZZZZZZ/,
  ],
  [
    'development profile without device',
    'portal profile create $data $app --kind development --out $fresh',
    'PROFILE_NEEDS_DEVICES',
    /./,
  ],
  [
    'unknown serial',
    'portal cert revoke $data --serial 0123456789abcdef',
    'CERTIFICATE_UNKNOWN',
    /0123456789abcdef/,
  ],
  ['unknown key', 'portal key revoke $data --key-id ZZZZZZZZZZ', 'KEY_UNKNOWN', /ZZZZZZZZZZ/],
  [
    'signing request that is none',
    'portal cert create $data $app --kind sandbox --csr @not-a.csr --out $fresh',
    'CSR_INVALID',
    /./,
  ],
  [
    'signing request missing',
    'portal cert create $data $app --kind sandbox --csr @missing.csr --out $fresh',
    'FILE_UNREADABLE',
    /missing\.csr/,
  ],
  [
    'folder for the files under a file',
    'portal key create $data --name Lost --out @file/keys',
    'FILE_UNWRITABLE',
    /file\/keys/,
  ],
]

const onTheDevice: readonly Case[] = [
  ['profile missing', '$device $data --state $fresh --profile @missing', 'FILE_UNREADABLE', /missing/],
  [
    'profile that is none',
    '$device $data --state $fresh --profile @not-a.mobileprovision',
    'PROFILE_UNREADABLE',
    /profile/,
  ],
  [
    'profile of another portal',
    '$device $data --state $fresh --profile @of-another-portal.mobileprovision',
    'PROFILE_UNTRUSTED',
    /portal/,
  ],
  [
    'profile for another app',
    'device run --app com.other $data --state $fresh $profile',
    'PROFILE_OTHER_APP',
    /com\.example\.app, not for com\.other/,
  ],
  ['state in use', '$device $data --state @phone $profile', 'STATE_IN_USE', /phone/],
  ['state under a file', '$device $data --state @file/state $profile', /./, /file\/state/],
  [
    'unknown device',
    '$device $data --state $fresh $profile --device ZZZZZZZZZZ',
    'DEVICE_UNKNOWN',
    /ZZZZZZZZZZ/,
  ],
]

const inPushes: readonly Case[] = [
  ['no system there', 'push --data @nowhere $sandbox $token --alert a $key', 'NOT_RUNNING', /nowhere/],
  [
    'payload missing',
    'push $data $sandbox $token --payload @missing.json $key',
    'FILE_UNREADABLE',
    /missing\.json/,
  ],
  [
    'payload not JSON',
    'push $data $sandbox $token --payload @not-json.json $key',
    'PAYLOAD_NOT_JSON',
    /not-json\.json/,
  ],
  [
    'payload empty',
    'push $data $sandbox $token --payload @empty.json $key',
    'PAYLOAD_NOT_JSON',
    /empty\.json/,
  ],
  [
    'payload is no object',
    'push $data $sandbox $token --payload @list.json $key',
    'PAYLOAD_NOT_JSON',
    /list\.json/,
  ],
  [
    'key missing',
    'push $data $sandbox $token --alert a --key @missing.p8 --key-id $keyId --team-id $team',
    'FILE_UNREADABLE',
    /missing\.p8/,
  ],
  [
    'key that is none',
    'push $data $sandbox $token --alert a --key @not-pem --key-id $keyId --team-id $team',
    /./,
    /key/i,
  ],
  [
    'certificate missing',
    'push $data $sandbox $token --alert a --cert @missing.pem --cert-key $certKey',
    'FILE_UNREADABLE',
    /missing\.pem/,
  ],
  [
    'certificate broken',
    'push $data $sandbox $token --alert a --cert @broken.pem --cert-key $certKey',
    /./,
    /certificate/,
  ],
  [
    'certificate that is none',
    'push $data $sandbox $token --alert a --cert @not-pem --cert-key $certKey',
    /./,
    /certificate/,
  ],
  [
    'key of another certificate',
    'push $data $sandbox $token --alert a --cert $cert --cert-key $otherKey',
    /./,
    /key/,
  ],
  [
    'root certificate missing',
    'push --connect $gateway --ca @missing.pem $sandbox $token --alert a $key',
    'FILE_UNREADABLE',
    /missing\.pem/,
  ],
  [
    'root certificate that is none',
    'push --connect $gateway --ca @not-pem $sandbox $token --alert a $key',
    /./,
    /certificate|--ca/,
  ],
]

const wrongUsage: readonly Case[] = [
  ['unknown command', 'portla', 'USAGE', /portla.*`carillon --help`/],
  ['unknown sub-command', 'portal ap', 'USAGE', /ap.*`carillon portal --help`/],
  ['unknown option', 'up $data --prots auto', 'USAGE', /--prots.*`carillon up --help`/],
  ['missing option', 'portal app create $data --name A', 'USAGE', /--bundle-id/],
  ['option without value', 'portal app list --data', 'USAGE', /--data/],
  ['bad choice: ports', 'up $data --ports some', 'USAGE', /some.*default, auto/],
  [
    'bad choice: environment',
    'push $data --environment moon --topic a --token b',
    'USAGE',
    /moon.*sandbox, production/,
  ],
  ['bad choice: kind', 'portal cert create $data $app --kind both --out $fresh', 'USAGE', /both.*universal/],
  ['argument too many', 'up $data now', 'USAGE', /now/],
  ['nothing to send', 'push $data $sandbox $token $key', 'USAGE', /nothing to send/],
  [
    'alert and payload',
    'push $data $sandbox $token $key --alert a --payload b',
    'USAGE',
    /--alert and --payload/,
  ],
  ['nothing to authenticate with', 'push $data $sandbox $token --alert a', 'USAGE', /authenticate/],
  ['key and certificate', 'push $data $sandbox $token --alert a $key --cert a', 'USAGE', /--key and --cert/],
  ['key without its id', 'push $data $sandbox $token --alert a --key $keyFile', 'USAGE', /--key-id/],
  ['certificate without its key', 'push $data $sandbox $token --alert a --cert $cert', 'USAGE', /--cert-key/],
  ['address without port', 'push --connect localhost $sandbox $token --alert a $key', 'USAGE', /host:port/],
  [
    'port that is none',
    'push --connect localhost:70000 $sandbox $token --alert a $key',
    'USAGE',
    /host:port/,
  ],
  [
    'expiration that is no number',
    'push $data $sandbox $token --alert a $key --expiration soon',
    'USAGE',
    /--expiration/,
  ],
  ['apns-id that is none', 'push $data $sandbox $token --alert a $key --apns-id 17', 'USAGE', /--apns-id/],
  [
    'inbox that is no number',
    'portal app create $data --bundle-id com.inbox --name Bad --inbox many',
    'USAGE',
    /--inbox/,
  ],
]

describe.each([
  ['systems and data directories', 1, onSystems],
  ['portal', 1, atThePortal],
  ['device', 1, onTheDevice],
  ['push', 1, inPushes],
  ['wrong usage', 2, wrongUsage],
])('%s: one clear sentence and exit %i', (_name, exit, cases) => {
  test.concurrent.each(cases)('%s', async (_what, command, code, sentence) => {
    const [plain, json] = await Promise.all([
      place.carillon(...words(command)),
      place.carillon(...words(command), '--json'),
    ])
    expect(plain).toMatchObject({ stdout: '', stderr: expect.stringMatching(sentence) })
    // One line, and no trace of a stack.
    expect(plain.stderr).toMatch(/^.+\n$/)
    const { error } = JSON.parse(json.stderr) as { error: JsonLine }
    expect(error).toEqual({
      code: expect.stringMatching(code),
      message: expect.stringMatching(/.\.$/),
      fix: expect.stringMatching(/./),
    })
    expect(error.code).not.toBe('INTERNAL')
    expect(`${error.message} ${error.fix}`).toMatch(sentence)
    expect([plain.code, json.code, json.stdout]).toEqual([exit, exit, ''])
  })
})

/** The service, or nobody, answers: that is the result of the command. */
const rejected: readonly (readonly [what: string, command: string, status: number, reason: string])[] = [
  ['unknown token', `push $data $sandbox --token ${'ab'.repeat(32)} --alert a $key`, 400, 'BadDeviceToken'],
  ['token that is none', 'push $data $sandbox --token hello --alert a $key', 400, 'BadDeviceToken'],
  ['payload too large', 'push $data $sandbox $token --payload @large.json $key', 413, 'PayloadTooLarge'],
  [
    'unknown topic',
    'push $data --environment sandbox --topic com.nobody $token --alert a $key',
    400,
    'TopicDisallowed',
  ],
  [
    'key id of nobody',
    'push $data $sandbox $token --alert a --key $keyFile --key-id ZZZZZZZZZZ --team-id $team',
    403,
    'InvalidProviderToken',
  ],
  [
    'token of the other environment',
    'push $data --environment production --topic com.example.app $token --alert a $key',
    400,
    'BadDeviceToken',
  ],
  ['system was killed', 'push --data @killed $sandbox $token --alert a $key', 0, 'ConnectFailed'],
  ['nobody listens', 'push --connect 127.0.0.1:1 $sandbox $token --alert a $key', 0, 'ConnectFailed'],
  ['server of another CA', 'push --connect $gateway $sandbox $token --alert a $key', 0, 'ConnectFailed'],
]

test.concurrent.each(rejected)('push, %s: exit 1 with the reason', async (_what, command, status, reason) => {
  const [plain, json] = await Promise.all([
    place.carillon(...words(command)),
    place.carillon(...words(command), '--json'),
  ])
  expect(plain).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(reason) })
  expect(plain.stderr).toMatch(/^.*\.\n$/)
  expect(json).toMatchObject({ code: 1, stderr: '' })
  expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, status, reason })
})

test('an expired profile is refused with the day it expired', async () => {
  const past = new Place()
  try {
    const twoYearsMs = 2 * 365 * 86_400_000
    const dataDir = past.path('data', 'portal')
    await mkdir(past.data)
    const portal = await openPortal({ dataDir, now: () => Date.now() - twoYearsMs })
    await portal.apps.create({ bundleId, name: 'Example' })
    const { deviceId } = await portal.devices.add({ name: 'Phone' })
    const profile = await portal.profiles.create({ bundleId, kind: 'development', deviceIds: [deviceId] })
    await portal.close()
    await writeFile(past.path('old.mobileprovision'), profile.der)
    await past.up()
    const where = ['--data', past.data, '--state', past.path('phone'), '--app', bundleId]
    const run = await past.carillon(
      'device',
      'run',
      ...where,
      '--profile',
      past.path('old.mobileprovision'),
      '--json',
    )
    expect(run).toMatchObject({ code: 1, stdout: '' })
    const day = new Date(profile.expiresAt).toISOString().slice(0, 10)
    expect(JSON.parse(run.stderr)).toEqual({
      error: {
        code: 'PROFILE_EXPIRED',
        message: expect.stringContaining(`expired on ${day}`),
        fix: expect.stringContaining('profile create'),
      },
    })
  } finally {
    await past.close()
  }
})

test('nothing is lost by any of it: the system, its device and its files are as they were', async () => {
  // Whatever the other tests did until now was wrong; this one is right.
  const { apnsId } = await place.line(...words('push $data $sandbox $token $key --alert Still-here'))
  await app.device.event('notification', (line) => line.apnsId === apnsId)
  expect(app.up.run.lines).toHaveLength(1)
  expect(app.up.run.stderr).toBe('')
  const endpoints = JSON.parse(await readFile(place.path('data', 'endpoints.json'), 'utf8'))
  expect(endpoints).toEqual(app.up.endpoints)
  const apps = await place.lines('portal', 'app', 'list', '--data', place.data)
  expect(apps.map((one) => one.bundleId)).toEqual([bundleId])
})
