import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { prepareDataDirectory, secretIn, writeWhole } from '../src/data-directory.ts'
import { portsFor } from '../src/ports.ts'

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'carillon-system-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

const modeOf = (path: string) => statSync(path).mode & 0o777

test('a data directory is made with all its parts, for its owner only', async () => {
  const directory = await prepareDataDirectory(join(temporaryDirectory(), 'deep', 'data'))
  const { path, portal, provider, sandbox, production } = directory
  for (const part of [path, portal, provider, sandbox, production]) expect(modeOf(part)).toBe(0o700)
})

test('a path that runs through a file is refused with a sentence', async () => {
  const file = join(temporaryDirectory(), 'file')
  writeFileSync(file, '')
  await expect(prepareDataDirectory(join(file, 'data'))).rejects.toMatchObject({
    code: 'DATA_DIRECTORY',
    message: expect.stringContaining(file),
    fix: expect.stringContaining('--data'),
  })
})

test('a secret is made once, for its owner only; a damaged one is told and left alone', async () => {
  const file = join(temporaryDirectory(), 'provider.key')
  const secret = await secretIn(file)
  expect(secret).toMatch(/^[\w-]{43}$/)
  expect(modeOf(file)).toBe(0o600)
  expect(await secretIn(file)).toBe(secret)
  writeFileSync(file, 'short')
  await expect(secretIn(file)).rejects.toMatchObject({ code: 'DATA_DIRECTORY' })
  expect(readFileSync(file, 'utf8')).toBe('short')
})

test('a file is replaced whole and leaves nothing beside it', async () => {
  const directory = temporaryDirectory()
  const file = join(directory, 'endpoints.json')
  await writeWhole(file, 'one')
  await writeWhole(file, 'two')
  expect(readFileSync(file, 'utf8')).toBe('two')
  expect(modeOf(file)).toBe(0o600)
})

test('the sandbox has the ports of production plus 10000; auto leaves all to the system', () => {
  const { production, sandbox, portal, provider } = portsFor('default')
  expect(production).toMatchObject({ http2: 2197, binary: 2195, feedback: 2196, courier: 5223 })
  expect(sandbox).toMatchObject({ http2: 12197, binary: 12195, feedback: 12196, courier: 15223 })
  expect(new Set([production.http2, sandbox.http2, portal, provider]).size).toBe(4)
  const any = { http2: 0, binary: 0, feedback: 0, courier: 0, courierWebSocket: 0, admin: 0 }
  expect(portsFor('auto')).toEqual({ portal: 0, provider: 0, sandbox: any, production: any })
})
