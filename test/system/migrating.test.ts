import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from './run-carillon.ts'
import { bundleId, type LocalApp, startLocalApp } from './support/local-app.ts'

// The programs of docs/migrating.md, which know Apple's hosts alone, run against a system of this machine.

const dead = 'ab'.repeat(32)
let app: LocalApp
beforeAll(async () => {
  app = await startLocalApp()
  const fault = { kind: 'answer', reason: 'Unregistered', timestamp: 1_700_000_000_000 } as const
  app.system.faults.production.set({ rules: [{ id: 'dead', match: { token: dead }, fault }] })
})
afterAll(() => app.close())

async function output(file: string): Promise<string[]> {
  const args = ['--import', '@carillon/testing/redirect', join('examples/migrating', file)]
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...args, app.deviceToken, 'nonsense', dead],
    {
      cwd: root,
      env: {
        ...process.env,
        CARILLON_DATA: join(app.dir, 'data'),
        KEY_FILE: app.key.file,
        KEY_ID: app.key.keyId,
        TEAM_ID: app.key.teamId,
        TOPIC: bundleId,
      },
    },
  )
  return stdout.trimEnd().split('\n').sort()
}

const lines = (file: string) => readFileSync(join(root, 'examples/migrating', file), 'utf8').split('\n')

describe.each([
  ['node-apn-before.cjs', 'node-apn-after.cjs', 'failed nonsense BadDeviceToken'],
  ['apns2-before.mjs', 'apns2-after.mjs', 'failed BadDeviceToken'],
] as const)('%s and %s', (before, after, failed) => {
  test('differ in the line that names the library, and say the same', async () => {
    const changed = lines(after).filter((line) => !lines(before).includes(line))
    expect(changed).toEqual([expect.stringContaining('@carillon/apns/compat/')])
    expect(lines(after)).toHaveLength(lines(before).length)
    const said = await output(before)
    expect(said).toEqual([failed, `forget ${dead}`, `sent ${app.deviceToken}`].sort())
    expect(await output(after)).toEqual(said)
  })
})

test('push-client.ts says the same', async () => {
  const said = ['failed nonsense BadDeviceToken', `forget ${dead}`, `sent ${app.deviceToken}`]
  expect(await output('push-client.ts')).toEqual(said)
})
