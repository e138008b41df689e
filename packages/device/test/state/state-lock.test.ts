import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { takeStateLock } from '../../src/state/state-lock.ts'
import { afterTest, rejection, temporaryFiles } from '../support/temporary.ts'

/** A process that takes the lock and then does nothing. */
async function otherOwner(stateDir: string) {
  const lock = new URL('../../src/state/state-lock.ts', import.meta.url)
  const files = new URL('../../src/state/device-files.ts', import.meta.url)
  const program = `
    const { takeStateLock } = await import(${JSON.stringify(lock.href)})
    const { deviceFilesIn } = await import(${JSON.stringify(files.href)})
    await takeStateLock(deviceFilesIn(${JSON.stringify(stateDir)}))
    process.stdout.write('taken')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  afterTest(kill)
  await once(child.stdout, 'data')
  return { pid: child.pid ?? 0, kill }
}

test('is held once in this process, and given free again', async () => {
  const files = await temporaryFiles()
  const [first, second] = await Promise.allSettled([takeStateLock(files), takeStateLock(files)])
  if (first.status !== 'fulfilled' || second.status !== 'rejected') throw new Error('both, or none')
  expect(second.reason).toMatchObject({ code: 'STATE_IN_USE' })
  await first.value()
  await (await takeStateLock(files))()
  expect(await readdir(files.stateDir)).toEqual([])
})

test('is refused while another process holds it, and taken over once that was killed', async () => {
  const files = await temporaryFiles()
  const other = await otherOwner(files.stateDir)
  expect(await rejection(takeStateLock(files))).toMatchObject({
    code: 'STATE_IN_USE',
    message: `Another device daemon (process ${other.pid}) works on ${files.stateDir}.`,
  })
  expect(await readdir(files.stateDir)).toEqual([`lock.${other.pid}`])
  await other.kill()
  await (await takeStateLock(files))()
  expect(await readdir(files.stateDir)).toEqual([])
})

// Without /proc a number is all that is known of a process.
test.runIf(process.platform === 'linux')(
  'a dead process is told from a living one that got its number',
  async () => {
    const files = await temporaryFiles()
    const other = await otherOwner(files.stateDir)
    const life = await readFile(`${files.lock}.${other.pid}`, 'utf8')
    await writeFile(
      `${files.lock}.${other.pid}`,
      life.replace(/\d+$/, (started) => String(Number(started) - 1)),
    )
    await (await takeStateLock(files))()
  },
)

test.each(['', 'nonsense'])(
  'a file of this process number from an earlier life (%j) does not matter',
  async (text) => {
    const files = await temporaryFiles()
    await writeFile(`${files.lock}.${process.pid}`, text)
    await (await takeStateLock(files))()
  },
)
