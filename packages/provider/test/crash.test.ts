import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { allAre, start, temporaryDirectory } from './support/world.ts'

test.each([1, 40, 333])(
  'killed between 202 and the answer of the service, after line %d: the next start sends everything, under the same ids',
  async (lines) => {
    const dataDir = temporaryDirectory()
    const confirmed = new Set<string>()
    const wasBeingSent = new Set<string>()
    for await (const line of linesUntilKilled(dataDir, lines)) {
      if (line[0] === '+') confirmed.add(line.slice(1))
      else wasBeingSent.add(line.slice(1))
    }

    const { service, recipientsUntil, provider } = await start({ dataDir })
    for (const id of confirmed) {
      const [recipient] = await recipientsUntil(id, allAre('sent'))
      expect(recipient!.attempts).toBe(wasBeingSent.has(id) ? 2 : recipient!.attempts)
    }
    await provider.close()
    const sent = service.pushes.map(({ apnsId }) => apnsId)
    expect(new Set(sent).size, 'each is sent once').toBe(sent.length)
    for (const id of [...confirmed, ...wasBeingSent]) expect(sent, 'what was accepted is sent').toContain(id)
    expect(confirmed.size + wasBeingSent.size).toBeGreaterThan(0)
  },
)

async function* linesUntilKilled(dataDir: string, lines: number): AsyncGenerator<string> {
  const script = fileURLToPath(new URL('./support/accept-and-tell.ts', import.meta.url))
  const child = spawn(process.execPath, [script, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const exited = once(child, 'exit')
  let seen = 0
  for await (const line of createInterface(child.stdout)) {
    if (++seen === lines) child.kill('SIGKILL')
    yield line
  }
  expect(await exited).toEqual([null, 'SIGKILL'])
}
