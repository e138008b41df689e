import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { faultKinds } from '../../src/faults/fault-kinds.ts'
import { faultMatch, faultRule } from '../../src/faults/fault-rule.ts'

const page = readFileSync(new URL('../../../../docs/faults.md', import.meta.url), 'utf8')
const blocks = [...page.matchAll(/^```json\n([\s\S]*?)^```/gm)].map((match) => match[1]!)

test.each(blocks)('a rule of docs/faults.md is one: %s', (text) => {
  const read = faultRule.safeParse(JSON.parse(text))
  expect(read.error?.issues ?? []).toEqual([])
})

test('every kind of fault has a recipe, and every field of a match is explained', () => {
  const shown = new Set(blocks.map((text) => JSON.parse(text).fault.kind))
  expect(Object.keys(faultKinds).filter((kind) => !shown.has(kind))).toEqual([])
  const explained = page.split('\n').filter((line) => line.startsWith('| `'))
  const fields = Object.keys(faultMatch.shape)
  expect(fields.filter((field) => !explained.some((line) => line.includes(`\`${field}\``)))).toEqual([])
})
