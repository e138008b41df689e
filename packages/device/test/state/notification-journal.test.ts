import { appendFile, readFile, stat, writeFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import type { DeviceFiles } from '../../src/state/device-files.ts'
import { type KeptNotification, NotificationJournal } from '../../src/state/notification-journal.ts'
import { temporaryFiles } from '../support/temporary.ts'

const notification = (n: number, bytes = 0): KeptNotification => ({
  apnsId: `id-${n}`,
  bundleId: 'a.b',
  payload: { aps: { alert: `ä ${n}${'x'.repeat(bytes)}` } },
})

/** What a process that starts now on this journal would show. */
async function leftOver(files: DeviceFiles): Promise<string[]> {
  const journal = await NotificationJournal.open(files)
  const ids = journal.takeLeftOver().map(({ apnsId }) => apnsId)
  await journal.close()
  return ids
}

test('new once, known ever after: at once, after showing, and to a later process', async () => {
  const files = await temporaryFiles()
  const journal = await NotificationJournal.open(files)
  const outcomes = await Promise.all([journal.keep(notification(1)), journal.keep(notification(1))])
  expect(outcomes).toEqual(['new', 'known'])
  expect(await journal.keep(notification(1))).toBe('known')
  journal.markShown('id-1')
  expect(await journal.keep(notification(1))).toBe('known')
  await journal.close()

  const later = await NotificationJournal.open(files)
  expect(later.takeLeftOver()).toEqual([])
  expect(await later.keep(notification(1))).toBe('known')
  await later.close()
})

test('a second arrival waits for the disk like the first', async () => {
  const files = await temporaryFiles()
  const journal = await NotificationJournal.open(files)
  void journal.keep(notification(1))
  expect(await journal.keep(notification(1))).toBe('known')
  // Known is what may be acknowledged: it must be on disk.
  expect(await readFile(files.journal, 'utf8')).toBe('["r","id-1","a.b",{"aps":{"alert":"ä 1"}}]\n')
  await journal.close()
})

test('what was kept and not shown is left over for the next process, in order, given once', async () => {
  const files = await temporaryFiles()
  const journal = await NotificationJournal.open(files)
  await Promise.all([1, 2, 3].map((n) => journal.keep(notification(n))))
  // Still to be shown by this process: not left over here.
  expect(journal.takeLeftOver()).toEqual([])
  journal.markShown('id-2')

  const later = await NotificationJournal.open(files)
  expect(later.takeLeftOver()).toEqual([notification(1), notification(3)])
  expect(later.takeLeftOver()).toEqual([])
  for (const apnsId of ['id-1', 'id-3']) later.markShown(apnsId)
  expect(await leftOver(files)).toEqual([])
  await Promise.all([journal.close(), later.close()])
})

describe('a crash', () => {
  test('at any byte of the file: what is read of it is what was written until then', async () => {
    const files = await temporaryFiles()
    const journal = await NotificationJournal.open(files)
    for (const n of [1, 2, 3]) {
      await journal.keep(notification(n))
      if (n !== 2) journal.markShown(`id-${n}`)
    }
    await journal.close()
    const whole = await readFile(files.journal)
    for (let length = 0; length <= whole.length; length++) {
      const torn = whole.subarray(0, length)
      await writeFile(files.journal, torn)
      const lines = torn.toString().split('\n')
      // A last line without its end counts where nothing but the end is missing.
      const complete = lines
        .filter((line) => line.endsWith(']') && isJson(line))
        .map((line) => JSON.parse(line))
      const shown = new Set(complete.filter(([kind]) => kind === 's').map(([, id]) => id))
      const expected = complete.filter(([kind, id]) => kind === 'r' && !shown.has(id)).map(([, id]) => id)
      expect(await leftOver(files), `cut at ${length}`).toEqual(expected)
    }
  })

  test('a torn line does not swallow the next one', async () => {
    const files = await temporaryFiles()
    await writeFile(files.journal, '["s","id-0"]\n["r","id-1","a.b",{"aps"')
    const journal = await NotificationJournal.open(files)
    expect(await journal.keep(notification(2))).toBe('new')
    expect(await journal.keep(notification(1))).toBe('new')
    await journal.close()
    expect(await leftOver(files)).toEqual(['id-2', 'id-1'])
  })

  test('lines of no meaning are passed over', async () => {
    const files = await temporaryFiles()
    await writeFile(files.journal, '\n{}\nnull\n17\n["r"]\n["r",1]\n["x","id-1"]\n["r","id-2"]\n"s"\n')
    expect(await leftOver(files)).toEqual([])
    const journal = await NotificationJournal.open(files)
    for (const n of [1, 2]) expect(await journal.keep(notification(n))).toBe('new')
    await journal.close()
  })

  test('whatever is in the file, it opens and works', async () => {
    const files = await temporaryFiles()
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        await writeFile(files.journal, bytes)
        const journal = await NotificationJournal.open(files)
        await journal.keep(notification(1))
        await journal.close()
        expect(await leftOver(files)).toContain('id-1')
      }),
      { numRuns: 30 },
    )
  })
})

describe('rewriting', () => {
  // Few large lines reach the limit soon.
  const lineBytes = 256 * 1024
  const linesUntilLimit = Math.ceil(limits.journalBytesMax / lineBytes) + 1

  test('at the limit the file keeps only what matters', async () => {
    const files = await temporaryFiles()
    const journal = await NotificationJournal.open(files)
    await journal.keep(notification(0))
    for (let n = 1; n <= linesUntilLimit + 1; n++) {
      await journal.keep(notification(n, lineBytes))
      journal.markShown(`id-${n}`)
    }
    expect((await stat(files.journal)).size).toBeLessThan(4 * lineBytes)
    expect((await stat(files.journal)).mode & 0o777).toBe(0o600)
    expect(await journal.keep(notification(3))).toBe('known')
    expect(await leftOver(files)).toEqual(['id-0'])
    await journal.close()
  })

  test('marks made while the file is rewritten are in the new one', async () => {
    const files = await temporaryFiles()
    const journal = await NotificationJournal.open(files)
    let count = 0
    do await journal.keep(notification(count++, lineBytes))
    while ((await stat(files.journal)).size <= limits.journalBytesMax)
    // This one starts the rewriting; the marks come while it is under way.
    const before = (await stat(files.journal)).ino
    const next = journal.keep(notification(count))
    for (let n = 0; n < count; n++) {
      journal.markShown(`id-${n}`)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await next).toBe('new')
    expect((await stat(files.journal)).ino).not.toBe(before)
    expect(await leftOver(files)).toEqual([`id-${count}`])
    await journal.close()
  })

  test('a burst larger than the limit is kept whole, and is not rewritten with every batch', async () => {
    const files = await temporaryFiles()
    const journal = await NotificationJournal.open(files)
    const all = Array.from({ length: 2 * linesUntilLimit }, (_, n) => notification(n, lineBytes))
    await Promise.all(all.map((one) => journal.keep(one)))
    await journal.close()
    expect(await leftOver(files)).toHaveLength(all.length)
  })
})

test('the oldest shown ids are forgotten at the limit, in memory and in the file', async () => {
  const files = await temporaryFiles()
  const lines = Array.from({ length: limits.shownIdsMax + 2 }, (_, n) => `["s","id-${n}"]\n`)
  await writeFile(files.journal, lines.join(''))
  const journal = await NotificationJournal.open(files)
  expect(await journal.keep(notification(2))).toBe('known')
  expect(await journal.keep(notification(1))).toBe('new')
  await journal.close()
})

test('a notification that could not be written is not known: it may come again', async () => {
  const files = await temporaryFiles()
  const journal = await NotificationJournal.open(files)
  await journal.close()
  await expect(journal.keep(notification(1))).rejects.toThrow()
  await expect(journal.keep(notification(1))).rejects.toThrow()
  await appendFile(files.journal, '')
  expect(await leftOver(files)).toEqual([])
})

function isJson(line: string): boolean {
  try {
    JSON.parse(line)
    return true
  } catch {
    return false // a piece of a line
  }
}
