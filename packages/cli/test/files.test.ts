import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { shownPath, writeNamedFile } from '../src/files.ts'

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'carillon-cli-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

test('a key written over a file that others could read is readable by its owner only', async () => {
  const file = join(temporaryDirectory(), 'push.key.pem')
  writeFileSync(file, 'an older key')
  chmodSync(file, 0o644)
  expect(await writeNamedFile(file, 'a new key', true)).toBe(file)
  expect(readFileSync(file, 'utf8')).toBe('a new key')
  expect(statSync(file).mode & 0o777).toBe(0o600)
})

test.each([
  ['below the working directory', join(process.cwd(), 'data', 'ca.pem'), join('data', 'ca.pem')],
  ['beside it', join(process.cwd(), '..', 'ca.pem'), join(process.cwd(), '..', 'ca.pem')],
  ['elsewhere', '/somewhere/else/ca.pem', '/somewhere/else/ca.pem'],
])('a path %s is shown as a person would type it', (_where, path, shown) => {
  expect(shownPath(path)).toBe(shown)
})
