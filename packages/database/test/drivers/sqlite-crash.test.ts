import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { openDatabase } from '../../src/index.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { crashMigrations } from './crash-migrations.ts'

const rounds = 6
const seed = Number(process.env.SEED ?? 20_261)

test(`killed at ${rounds} moments, a database opens and holds everything that was confirmed (SEED=${seed})`, async () => {
  const file = join(temporaryDirectory(), 'store')
  const random = randomFrom(seed)
  const confirmed = new Set<number>()
  const removed = new Set<number>()
  const maybeRemoved = new Set<number>()
  let first = 1
  for (let round = 0; round < rounds; round++) {
    for await (const line of linesUntilKilled(file, first, 1 + (random() % 6000))) {
      const id = Number(line.slice(1))
      if (line[0] === '+') confirmed.add(id)
      if (line[0] === '?') maybeRemoved.add(id)
      if (line[0] === '-') removed.add(id)
      first = Math.max(first, id + 10_000)
    }
    const rows = await readAll(file)
    for (const id of confirmed) {
      if (removed.has(id)) expect(rows.has(id), `row ${id} was deleted, confirmed`).toBe(false)
      else if (!maybeRemoved.has(id)) expect(rows.has(id), `row ${id} was confirmed`).toBe(true)
    }
    for (const id of rows)
      if (id % 3 === 0 && id % 10 !== 0) expect(rows.has(-id), `row ${id} is one of a pair`).toBe(true)
    for (const id of rows) expect(id % 7 === 0 && id > 0, `row ${id} had failed`).toBe(false)
  }
  expect(confirmed.size).toBeGreaterThan(rounds)
})

/** What a writing process confirmed until it was killed at the given line. */
async function* linesUntilKilled(file: string, first: number, lines: number): AsyncGenerator<string> {
  const script = fileURLToPath(new URL('./write-and-tell.ts', import.meta.url))
  const child = spawn(process.execPath, [script, file, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const exited = once(child, 'exit')
  let seen = 0
  // Lines that were printed before the kill count as confirmed too: the pipe is read to its end.
  for await (const line of createInterface(child.stdout)) {
    if (++seen === lines) child.kill('SIGKILL')
    yield line
  }
  expect(await exited).toEqual([null, 'SIGKILL'])
}

async function readAll(file: string): Promise<Set<number>> {
  const database = await openDatabase({ engine: 'sqlite', file, migrations: crashMigrations })
  try {
    const check = await database.all(database.prepare('PRAGMA integrity_check'))
    expect(check).toEqual([{ integrity_check: 'ok' }])
    const rows = new Set<number>()
    const page = database.prepare(
      'SELECT id, length(body) AS bytes FROM numbered WHERE id > ? ORDER BY id LIMIT 5000',
    )
    let last = Number.MIN_SAFE_INTEGER
    for (;;) {
      const found = await database.all<{ id: number; bytes: number }>(page, [last])
      for (const { id, bytes } of found) {
        expect(bytes).toBe(200 + (Math.abs(id) % 400))
        rows.add(id)
      }
      if (found.length === 0) return rows
      last = found.at(-1)!.id
    }
  } finally {
    await database.close()
  }
}

/** xorshift32: the same moments for the same seed. */
function randomFrom(state: number): () => number {
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}
