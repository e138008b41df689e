import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { openFilesMax } from '../../src/courier/drivers/open-files.ts'

test('the limit of open files is what the shell says', () => {
  const { stdout } = spawnSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' })
  const told = stdout.trim()
  expect(openFilesMax()).toBe(told === 'unlimited' ? Number.POSITIVE_INFINITY : Number(told))
})

test('a process with a low limit knows it', () => {
  const file = new URL('../../src/courier/drivers/open-files.ts', import.meta.url).href
  const script = `import('${file}').then(({ openFilesMax }) => console.log(openFilesMax()))`
  const command = `ulimit -n 123 && exec "$0" --no-warnings -e "$1"`
  const { stdout } = spawnSync('sh', ['-c', command, process.execPath, script], { encoding: 'utf8' })
  expect(stdout.trim()).toBe('123')
})
