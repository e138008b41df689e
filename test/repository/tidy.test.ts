import { describe, expect, test } from 'vitest'
import { filesMatching, places } from './tree.ts'

const sources = filesMatching(/^packages\/[^/]+\/src\/.*\.ts$/)

/** Composition roots and drivers: the only rooms with a real clock, real randomness and real timers. */
const mayTouchTheWorld = (path: string) =>
  /\/src\/(service|provider|portal|device|main|push-client)\.ts$/.test(path) ||
  /\/drivers?\//.test(path) ||
  /^packages\/(system|cli)\//.test(path)

describe('clock, randomness and timers come in as arguments', () => {
  const banned: readonly (readonly [what: string, pattern: RegExp, instead: string])[] = [
    ['Date.now', /\bDate\.now\b|\bnew Date\(\)/, 'a `now: () => number` argument'],
    [
      'Math.random',
      /\bMath\.random\b|\brandomBytes\(|\brandomUUID\(|getRandomValues\(/,
      'a `random: (bytes) => Uint8Array` argument',
    ],
    ['timers', /\bset(?:Timeout|Interval|Immediate)\(/, 'a tick called by a driver'],
  ]
  test.each(banned)('%s', (_what, pattern, instead) => {
    const wrong = sources
      .filter((file) => !mayTouchTheWorld(file.path))
      .flatMap((file) => places(file, pattern))
    expect(wrong, `use ${instead}`).toEqual([])
  })
})

test('header names and gateway paths are written once, in wire', () => {
  const literal =
    /['"`](?:apns-(?!security|pack)[a-z-]+|\/3\/device\/?|\/4\/broadcasts[^'"`]*|\/1\/apps[^'"`]*)['"`]/
  const wrong = sources
    .filter((file) => !file.path.startsWith('packages/wire/'))
    .flatMap((file) => places(file, literal))
  expect(wrong).toEqual([])
})

test('no leftovers', () => {
  const leftover = /\b(?:FIXME|TODO|XXX|HACK)\b|\bdebugger\b|\b(?:test|it|describe)\.only\b/
  const files = filesMatching(/\.(ts|mjs|md|sh)$/).filter((file) => !file.path.startsWith('test/repository/'))
  expect(
    files.flatMap((file) =>
      file.text.split('\n').flatMap((line, i) => (leftover.test(line) ? [`${file.path}:${i + 1}`] : [])),
    ),
  ).toEqual([])
})

test('no file is a drawer: nothing is called Manager, Helper or Util', () => {
  expect(
    sources.map((file) => file.path).filter((path) => /(manager|helper|util)s?\.ts$/i.test(path)),
  ).toEqual([])
})

test('every snippet in the documentation is a piece of a file', () => {
  const wrong: string[] = []
  const files = new Map(
    filesMatching(/^(examples|packages\/[^/]+\/test)\//).map((file) => [file.path, file.text]),
  )
  for (const page of filesMatching(/\.md$/)) {
    // ```ts examples/send-push.ts — the block's lines stand in that file, in this order and together.
    for (const block of page.text.matchAll(/^```(ts|js|sh|yaml)\b([^\n]*)\n([\s\S]*?)^```/gm)) {
      const path = (block[2] ?? '').trim()
      const text = files.get(path)
      if (text === undefined) wrong.push(`${page.path}: a ${block[1]} block names no file ("${path}")`)
      else if (!dedented(text).includes(dedented(block[3] ?? '')))
        wrong.push(`${page.path}: the block differs from ${path}`)
    }
  }
  expect(wrong).toEqual([])
})

test('every npm command in the documentation exists', () => {
  const scripts = Object.keys(JSON.parse(filesMatching(/^package\.json$/)[0]?.text ?? '{}').scripts)
  const wrong: string[] = []
  for (const page of filesMatching(/\.md$/)) {
    for (const match of page.text.matchAll(/\bnpm (?:run ([a-z:-]+)|(start|test)\b)/g)) {
      if (!scripts.includes(match[1] ?? match[2] ?? '')) wrong.push(`${page.path}: ${match[0]}`)
    }
  }
  expect(wrong).toEqual([])
})

test('links between pages lead somewhere', () => {
  const known = new Set(filesMatching(/./).map((file) => file.path))
  const wrong: string[] = []
  for (const page of filesMatching(/\.md$/)) {
    for (const match of page.text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)) {
      const target = normal([...page.path.split('/').slice(0, -1), ...(match[1] ?? '').split('/')])
      const isFolder = [...known].some((path) => path.startsWith(`${target}/`))
      if (!known.has(target) && !isFolder) wrong.push(`${page.path} → ${match[1]}`)
    }
  }
  expect(wrong).toEqual([])
})

function normal(parts: readonly string[]): string {
  const out: string[] = []
  for (const part of parts) {
    if (part === '..') out.pop()
    else if (part !== '.' && part !== '') out.push(part)
  }
  return out.join('/')
}

function dedented(text: string): string {
  const lines = text.split('\n').map((line) => line.trim())
  return lines.filter((line) => line !== '').join('\n')
}
