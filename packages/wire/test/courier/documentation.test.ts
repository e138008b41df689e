import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { documentedMessages, documentedStatuses } from './documentation.ts'

const page = (name: string) =>
  readFileSync(new URL(`../../../../docs/protocols/${name}`, import.meta.url), 'utf8').split('\n')

test.each([
  ['courier.md', documentedMessages()],
  ['binary-and-feedback.md', documentedStatuses()],
])('the table in docs/protocols/%s is the table of the code', (name, rows) => {
  const lines = page(name)
  const start = lines.indexOf(rows[0]!)
  expect(lines.slice(start, start + rows.length)).toEqual(rows)
  expect(lines[start + rows.length]).toBe('')
})
