import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import type * as source from '../../src/index.ts'
import { migrations } from '../contract.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

const root = fileURLToPath(new URL('../../../../', import.meta.url))

test('the built package starts its threads from the build', async () => {
  // Inside node_modules, so that the build finds its dependencies.
  mkdirSync(join(root, 'node_modules/.cache'), { recursive: true })
  const outDir = mkdtempSync(join(root, 'node_modules/.cache/database-build-'))
  onTestFinished(() => rmSync(outDir, { recursive: true, force: true }))
  const project = fileURLToPath(new URL('../../', import.meta.url))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  execFileSync(process.execPath, [
    tsc,
    '-p',
    project,
    '--outDir',
    outDir,
    '--tsBuildInfoFile',
    join(outDir, 'info'),
  ])

  const built: typeof source = await import(/* @vite-ignore */ pathToFileURL(join(outDir, 'index.js')).href)
  const file = join(temporaryDirectory(), 'store')
  const database = await built.openDatabase({ engine: 'sqlite', file, migrations })
  const insert = database.prepare('INSERT INTO message (id, token, body, stored_at) VALUES (?, ?, ?, ?)')
  await database.run(insert, [1, null, 'built', 0])
  expect(await database.all(database.prepare('SELECT body FROM message'))).toEqual([{ body: 'built' }])
  await database.backup(`${file}.copy`)
  await database.close()
})
