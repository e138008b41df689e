import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, cp, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { mayBeSkipped } from '../system/programs.ts'
import { root } from '../system/run-carillon.ts'

const run = promisify(execFile)
const isBuilt = existsSync(join(root, 'packages/testing/dist/package.json'))

// Jest is no dependency of the repository: it is as many packages as all others together.
test.skipIf(!isBuilt && mayBeSkipped)(
  'the example for jest runs, with the published packages (npm run build)',
  async () => {
    const place = await mkdtemp(join(tmpdir(), 'carillon-jest-'))
    onTestFinished(() => rm(place, { recursive: true, force: true }))
    await writeFile(join(place, 'package.json'), '{ "private": true, "type": "module" }')
    await run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', 'jest@30.5.2'], {
      cwd: place,
    })
    // Copies: a link would lead back into the repository, where packages run from their sources.
    const modules = join(place, 'node_modules')
    for (const name of await readdir(join(root, 'packages'))) {
      await cp(join(root, 'packages', name, 'dist'), join(modules, '@carillon', name), { recursive: true })
    }
    // What they depend on is installed beside the repository.
    for (const name of await readdir(join(root, 'node_modules'))) {
      if (!existsSync(join(modules, name)))
        await symlink(join(root, 'node_modules', name), join(modules, name))
    }
    await copyFile(join(root, 'examples/testing/jest.test.mjs'), join(place, 'jest.test.mjs'))
    const jest = join(place, 'node_modules/jest/bin/jest.js')
    const { stderr } = await run(process.execPath, ['--experimental-vm-modules', jest], { cwd: place })
    expect(stderr).toContain('✓ a phone without the app makes its token dead')
  },
)
