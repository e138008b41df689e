import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { SqlValue } from '../src/database.ts'
import { decodeRows, encodeRows, PackedReader, PackedWriter } from '../src/packing.ts'

const sqlValue: fc.Arbitrary<SqlValue> = fc.oneof(
  fc.constant(null),
  fc.double({ noNaN: true }),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.string({ unit: 'grapheme' }),
  fc.uint8Array({ maxLength: 5000 }),
)

test('values survive the way through a buffer that starts too small', () => {
  fc.assert(
    fc.property(fc.array(sqlValue), (values) => {
      const writer = new PackedWriter(new ArrayBuffer(8))
      for (const value of values) writer.value(value)
      for (const copyBlobs of [false, true]) {
        const reader = new PackedReader(writer.buffer.buffer, { copyBlobs })
        expect(values.map(() => reader.value())).toEqual(values)
        expect(reader.offset).toBe(writer.offset)
      }
    }),
  )
})

test.each([
  { name: 'the same again', texts: ['app', 'app', '', 'app'] },
  { name: 'one whose bytes are the characters of the one before', texts: ['\u00c3\u00a9', '\u00e9'] },
  { name: 'long ones', texts: ['a'.repeat(65), 'a'.repeat(65), `${'a'.repeat(64)}\u00e9`] },
])('texts survive behind each other: $name', ({ texts }) => {
  const writer = new PackedWriter(new ArrayBuffer(8))
  for (const text of texts) writer.value(text)
  const reader = new PackedReader(writer.buffer.buffer)
  expect(texts.map(() => reader.value())).toEqual(texts)
})

test('rows survive, with their column names', () => {
  const columns = fc.uniqueArray(
    fc.string({ minLength: 1 }).filter((name) => name !== '__proto__'),
    { maxLength: 5 },
  )
  const table = columns.chain((names) =>
    fc.tuple(fc.constant(names), fc.array(fc.tuple(...names.map(() => sqlValue)))),
  )
  fc.assert(
    fc.property(table, ([names, rows]) => {
      const writer = new PackedWriter(new ArrayBuffer(8))
      encodeRows(writer, names, rows)
      const expected = rows.map((row) => Object.fromEntries(row.map((value, index) => [names[index], value])))
      expect(decodeRows(new PackedReader(writer.buffer.buffer))).toEqual(expected)
    }),
  )
})

test('a copied blob does not change with the buffer, a view does', () => {
  const writer = new PackedWriter(new ArrayBuffer(64))
  writer.value(Uint8Array.of(1, 2, 3))
  const copy = new PackedReader(writer.buffer.buffer, { copyBlobs: true }).value()
  const view = new PackedReader(writer.buffer.buffer).value()
  writer.buffer.fill(9)
  expect(copy).toEqual(Uint8Array.of(1, 2, 3))
  expect(view).toEqual(Uint8Array.of(9, 9, 9))
})

test.each([true, undefined, {}, [1], Symbol('x')])(
  'a parameter that SQL has no type for is refused: %s',
  (value) => {
    const writer = new PackedWriter(new ArrayBuffer(64))
    expect(() => writer.value(value as never)).toThrow(
      expect.objectContaining({ code: 'DATABASE_STATEMENT' }),
    )
  },
)

test('a bigint of more than 64 bits is refused with a sentence, and leaves nothing behind', () => {
  const writer = new PackedWriter(new ArrayBuffer(8))
  for (const value of [2n ** 63n, -(2n ** 63n) - 1n]) {
    expect(() => writer.value(value)).toThrow(expect.objectContaining({ code: 'DATABASE_STATEMENT' }))
  }
  expect(writer.offset).toBe(0)
})
