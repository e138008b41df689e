import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { SqlValue } from '../src/index.ts'
import { RowSetReader, RowSetWriter } from '../src/row-sets.ts'

const tables = [['id'], ['id', 'name'], ['id', 'name', 'bytes']] as const
const value = fc.oneof(fc.integer(), fc.string(), fc.constant(null), fc.uint8Array({ maxLength: 20 }))
const sets = fc.array(
  fc.record({
    unit: fc.nat(5),
    table: fc.nat(2),
    rows: fc.array(fc.tuple(value, value, value), { maxLength: 4 }),
  }),
  { maxLength: 12 },
)

test('what units returned comes back, by unit and in order; what was cut does not', () => {
  fc.assert(
    fc.property(sets, sets, (kept, cut) => {
      const writer = new RowSetWriter()
      const inOrder = kept.toSorted((left, right) => left.unit - right.unit)
      const expected = new Map<number, Record<string, SqlValue>[]>()
      for (const { unit, table, rows } of inOrder) {
        const mark = writer.mark
        for (const each of cut) add(writer, { ...each, unit })
        writer.cut(mark)
        add(writer, { unit, table, rows })
        const objects = rows.map((row) =>
          Object.fromEntries(tables[table]!.map((column, index) => [column, row[index]!])),
        )
        expected.set(unit, [...(expected.get(unit) ?? []), ...objects])
      }
      const { packed } = writer
      expect(packed === undefined).toBe(expected.size === 0)
      if (packed === undefined) return
      const reader = new RowSetReader(packed)
      for (let unit = 0; unit <= 6; unit++) expect(reader.rowsOf(unit)).toEqual(expected.get(unit))
    }),
  )
})

function add(writer: RowSetWriter, set: { unit: number; table: number; rows: readonly SqlValue[][] }): void {
  const columns = tables[set.table]!
  writer.add(
    set.unit,
    columns,
    set.rows.map((row) => row.slice(0, columns.length)),
  )
}
