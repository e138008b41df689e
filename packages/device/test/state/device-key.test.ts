import { X509Certificate } from 'node:crypto'
import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { beforeAll, expect, test } from 'vitest'
import { openPortal } from '../../../portal/src/index.ts'
import { DeviceActivation } from '../../src/activation.ts'
import { deviceFilesIn, prepareStateDir } from '../../src/state/device-files.ts'
import { createSigningRequest, deviceKeyIn } from '../../src/state/device-key.ts'
import { afterTest, rejection, temporaryDirectory, temporaryFiles } from '../support/temporary.ts'
import { type TestPortal, testPortal } from '../support/test-portal.ts'

let portal: TestPortal
beforeAll(async () => {
  portal = await testPortal()
  return () => portal.close()
})

test('the state directory is its owner’s alone, and so is every file in it', async () => {
  const directory = `${await temporaryDirectory()}/a/b`
  const files = await prepareStateDir(directory)
  await new DeviceActivation(files, portal.activate, Date.now).activated(undefined)
  expect((await stat(directory)).mode & 0o777).toBe(0o700)
  for (const file of [files.key, files.certificate]) expect((await stat(file)).mode & 0o777).toBe(0o600)
})

test('a key that was put back with looser permissions is closed to others', async () => {
  const files = await temporaryFiles()
  await deviceKeyIn(files)
  await chmod(files.key, 0o644)
  await deviceKeyIn(files)
  expect((await stat(files.key)).mode & 0o777).toBe(0o600)
})

test('the key is made once', async () => {
  const files = await temporaryFiles()
  const key = await deviceKeyIn(files)
  expect((await deviceKeyIn(files)).equals(key)).toBe(true)
  expect(await createSigningRequest(key, 'Ding')).toMatch(/^-----BEGIN CERTIFICATE REQUEST-----\n/)
})

test('two that ask at once are activated once, and a later process not at all', async () => {
  const files = await temporaryFiles()
  let asked = 0
  const activate: typeof portal.activate = (request) => {
    asked++
    return portal.activate(request)
  }
  const activation = new DeviceActivation(files, activate, Date.now)
  await activation.load()
  expect(activation.identity).toBeUndefined()
  const [one, other] = await Promise.all([activation.activated(undefined), activation.activated(undefined)])
  expect(one.udid).toBe(other.udid)
  const later = new DeviceActivation(files, activate, Date.now)
  await later.load()
  expect(later.identity?.udid).toBe(one.udid)
  expect((await later.activated(undefined)).udid).toBe(one.udid)
  expect(asked).toBe(1)
})

test('an expired certificate is asked for anew, for the same device', async () => {
  const files = await temporaryFiles()
  const activation = new DeviceActivation(files, portal.activate, Date.now)
  const { udid, expiresAtMs } = await activation.activated(undefined)
  // A portal of the far future.
  const dataDir = await temporaryDirectory()
  const future = await openPortal({ dataDir, teamName: 'Future', now: () => expiresAtMs })
  afterTest(() => future.close())
  const requests: unknown[] = []
  const later = new DeviceActivation(
    files,
    async ({ csrPem, udid: known }) => {
      requests.push(known)
      return future.devices.activate({ csrPem, new: true, ...(known ? { udid: known } : {}) })
    },
    () => expiresAtMs,
  )
  await later.load()
  expect((await later.activated(undefined)).udid).toBe(udid)
  expect(requests).toEqual([udid])
  const [certificate = ''] = (await readFile(files.certificate, 'utf8')).split(/(?<=END CERTIFICATE-----)/)
  expect(new X509Certificate(certificate).validToDate.getTime()).toBeGreaterThan(expiresAtMs)
})

test('a portal that refuses: its sentence and its fix are told', async () => {
  const refuse = () =>
    Promise.reject(Object.assign(new Error('This portal is closed.'), { fix: 'Come on Monday.' }))
  const activation = new DeviceActivation(await temporaryFiles(), refuse, Date.now)
  expect(await rejection(activation.activated(undefined))).toMatchObject({
    code: 'ACTIVATION_FAILED',
    message: 'The portal did not activate this device: This portal is closed.',
    fix: 'Come on Monday.',
  })
})

test.each(['key', 'certificate'] as const)('a damaged %s is told by its name', async (name) => {
  const files = await temporaryFiles()
  const activation = new DeviceActivation(files, portal.activate, Date.now)
  await activation.activated(undefined)
  await writeFile(files[name], 'garbage')
  const error = await rejection(new DeviceActivation(files, portal.activate, Date.now).load())
  expect(error).toMatchObject({ code: 'STATE_UNREADABLE', message: expect.stringContaining(files[name]) })
})

test('the certificate of another key is no identity', async () => {
  const [mine, other] = [await temporaryFiles(), await temporaryFiles()]
  for (const files of [mine, other])
    await new DeviceActivation(files, portal.activate, Date.now).activated(undefined)
  await writeFile(mine.certificate, await readFile(other.certificate))
  expect(await rejection(new DeviceActivation(mine, portal.activate, Date.now).load())).toMatchObject({
    code: 'STATE_UNREADABLE',
    cause: new Error('it is for another key'),
  })
})

test('a state directory that cannot be made is told by its name', async () => {
  const directory = await temporaryDirectory()
  await writeFile(`${directory}/file`, '')
  const { stateDir } = deviceFilesIn(`${directory}/file/state`)
  expect(await rejection(prepareStateDir(stateDir))).toMatchObject({
    code: 'STATE_UNREADABLE',
    message: expect.stringContaining(`${stateDir} cannot be used (ENOTDIR)`),
  })
})
