/**
 * Writes numbered rows for ever and prints the number of each one that was confirmed, until it is killed.
 * Every third unit is a pair, every seventh fails, and rows that are a multiple of ten are deleted again.
 */
import { writeSync } from 'node:fs'
import { openDatabase } from '../../src/index.ts'
import { crashMigrations } from './crash-migrations.ts'

const database = await openDatabase({ engine: 'sqlite', file: process.argv[2]!, migrations: crashMigrations })
const insert = database.prepare('INSERT INTO numbered (id, body) VALUES (?, ?)')
const remove = database.prepare('DELETE FROM numbered WHERE id = ?')
const unitsInFlight = 300
let next = Number(process.argv[3])

for (let index = 0; index < unitsInFlight; index++) write()

function write(): void {
  const id = next++
  const body = new Uint8Array(200 + (id % 400)).fill(id)
  if (id % 7 === 0) {
    database.write(insert, [id, null], () => write())
  } else if (id % 3 === 0) {
    const writes = [id, -id].map((one) => ({ statement: insert, parameters: [one, body] }))
    database.writeUnit(writes, (error) => tell('+', id, error))
  } else {
    database.write(insert, [id, body], (error) => tell('+', id, error))
  }
}

function tell(sign: '+' | '-', id: number, error: Error | undefined): void {
  if (error !== undefined) throw error
  print(`${sign}${id}\n`)
  if (sign === '+' && id % 10 === 0) {
    print(`?${id}\n`)
    database.write(remove, [id], (failed) => tell('-', id, failed))
  }
  if (sign === '+') write()
}

/** Straight to the pipe: a line that was printed is out, however the process ends. */
function print(line: string): void {
  for (;;) {
    try {
      writeSync(1, line)
      return
    } catch (error) {
      // The reader is behind; there is nothing better to do than to try until it has caught up.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
  }
}
