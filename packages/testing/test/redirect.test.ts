import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { startTestService, type TestService } from '../src/index.ts'

const preload = new URL('../src/redirect.ts', import.meta.url).href
let service: TestService
let keyFile: string

beforeAll(async () => {
  service = await startTestService()
  keyFile = join(service.redirectEnv.CARILLON_DATA, 'AuthKey.p8')
  await writeFile(keyFile, service.key.privateKey, { mode: 0o600 })
})
afterAll(() => service.close())

/** Runs a program that knows Apple's hosts alone, and gives what it printed. */
async function run(program: string, args: readonly string[] = [], env: object = service.redirectEnv) {
  const file = new URL(`programs/${program}`, import.meta.url).pathname
  return promisify(execFile)(process.execPath, ['--import', preload, file, ...args], {
    env: { ...process.env, CARILLON_DATA: '', ...env },
  })
}

test.each(['node-apn', 'apns2', 'carillon'])('%s, unmodified, reaches the phone', async (name) => {
  const { device, bundleId, key } = service
  const { stdout } = await run(`${name}.mjs`, [device.deviceToken, bundleId, keyFile, key.keyId, key.teamId])
  expect(JSON.parse(stdout)).toEqual({ sent: 1, failed: [] })
  await device.waitFor(({ shown }) => shown.body === `from ${name}`)
})

test('a named import of node:tls is redirected, and the certificate is checked', async () => {
  const { stdout } = await run('node-tls.mjs')
  expect(JSON.parse(stdout)).toEqual({ authorized: true, protocol: 'h2' })
})

test('redirect.sh, as a reader of the README types it', async () => {
  const place = await mkdtemp(join(tmpdir(), 'carillon-redirect-'))
  onTestFinished(() => rm(place, { recursive: true, force: true }))
  const root = fileURLToPath(new URL('../../..', import.meta.url))
  await symlink(service.redirectEnv.CARILLON_DATA, join(place, 'data'))
  await symlink(join(root, 'node_modules'), join(place, 'node_modules'))
  await writeFile(join(place, 'package.json'), '{ "type": "module" }')
  await copyFile(new URL('programs/node-tls.mjs', import.meta.url), join(place, 'app.js'))
  const script = join(root, 'examples/testing', 'redirect.sh')
  const path = `${dirname(process.execPath)}:${process.env.PATH}`
  const { stdout } = await promisify(execFile)('sh', [script], {
    cwd: place,
    env: { ...process.env, PATH: path },
  })
  expect(JSON.parse(stdout)).toMatchObject({ authorized: true })
})

test.each([
  ['without a data directory', {}, 'CARILLON_DATA is not set.'],
  ['with one in which nothing runs', { CARILLON_DATA: '/nowhere' }, 'No system runs in /nowhere'],
])('%s the program does not start, and the sentence says why', async (_name, env, sentence) => {
  await expect(
    run('node-tls.mjs', [], { ...env, ...('CARILLON_DATA' in env ? {} : { CARILLON_DATA: '' }) }),
  ).rejects.toMatchObject({
    stderr: expect.stringContaining(sentence),
  })
})
