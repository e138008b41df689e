import { describe, expect, test } from 'vitest'
import { pendingMigrations, writeMigrations } from '../src/migrations.ts'

const steps = writeMigrations(
  [
    { name: 'one', up: 'CREATE TABLE one (id)' },
    { name: 'two', up: ({ integer }) => `CREATE TABLE two (id ${integer})` },
  ],
  'postgres',
)

test('SQL is written in the words of the engine', () => {
  expect(steps.map((step) => step.sql)).toEqual(['CREATE TABLE one (id)', 'CREATE TABLE two (id BIGINT)'])
})

describe('what is still to be applied', () => {
  test.each([
    [[], ['one', 'two']],
    [['one'], ['two']],
    [['one', 'two'], []],
  ])('after %j', (applied, expected) => {
    expect(pendingMigrations(steps, applied, 'store').map((step) => step.name)).toEqual(expected)
  })

  test.each([
    [['one', 'two', 'three'], 'DATABASE_TOO_NEW', 'store was made by a newer version (it has "three"'],
    [['uno'], 'DATABASE_FOREIGN', 'store belongs to something else: its step 1 is "uno", expected "one"'],
  ])('%j is refused with %s', (applied, code, sentence) => {
    expect(() => pendingMigrations(steps, applied, 'store')).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(sentence) }),
    )
  })
})
