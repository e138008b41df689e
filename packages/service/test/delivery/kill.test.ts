import { join } from 'node:path'
import { openDatabase } from '@carillon/database'
import { expect, onTestFinished, test } from 'vitest'
import { migrations } from '../../src/migrations.ts'
import { openMessageStore } from '../../src/store/database-message-store.ts'
import { linesBeforeKill } from '../lines-before-kill.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { nameOf } from './delivery-fixture.ts'

const script = new URL('accept-and-tell.ts', import.meta.url)

test.each([1, 25, 400, 1700])(
  'kill -9 after %i acceptances: everything that was accepted is there',
  async (lines) => {
    const file = join(temporaryDirectory(), 'service.db')
    const told = await linesBeforeKill(script, file, lines)

    const database = await openDatabase({ engine: 'sqlite', file, migrations })
    onTestFinished(() => database.close())
    const store = await openMessageStore({ database })
    const numbersOf = async (device: number) => {
      const numbers: number[] = []
      for (let after = 0, hasMore = true; hasMore; ) {
        const page = await store.read(device, after, store.lastSeq)
        numbers.push(...page.messages.map((message) => Number(nameOf(message).split(' ')[1])))
        after = page.throughSeq
        hasMore = page.hasMore
      }
      return numbers
    }
    for (const device of [
      1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14, 15, 16, 17, 18, 21, 22, 23, 24, 25, 26, 27, 28,
    ]) {
      const accepted = told.map((line) => line.split(' ').map(Number)).filter(([of]) => of === device)
      const stored = await numbersOf(device)
      expect(stored, 'in order of acceptance').toEqual(stored.toSorted((left, right) => left - right))
      if (device > 10) {
        expect(stored).toEqual(expect.arrayContaining(accepted.map(([, number]) => number)))
      } else {
        // The newest one: the last that was told, or one whose confirmation was lost with the process.
        expect(stored.length).toBeLessThanOrEqual(1)
        if (accepted.length > 0) expect(stored[0]).toBeGreaterThanOrEqual(accepted.at(-1)![1]!)
      }
    }
  },
)
