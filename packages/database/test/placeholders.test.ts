import { expect, test } from 'vitest'
import { numberPlaceholders } from '../src/placeholders.ts'

test.each([
  ['SELECT 1', 'SELECT 1'],
  ['INSERT INTO t VALUES (?, ?, ?)', 'INSERT INTO t VALUES ($1, $2, $3)'],
  [
    `SELECT '?', 'it''s ?', ? FROM "odd?""name?" WHERE x=?`,
    `SELECT '?', 'it''s ?', $1 FROM "odd?""name?" WHERE x=$2`,
  ],
  ['SELECT ? -- why?\n, ?', 'SELECT $1 -- why?\n, $2'],
  ['SELECT /* a ? \n b ? */ ?', 'SELECT /* a ? \n b ? */ $1'],
])('%s', (sql, expected) => {
  expect(numberPlaceholders(sql)).toBe(expected)
})
