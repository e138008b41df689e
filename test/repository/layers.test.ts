import { expect, test } from 'vitest'
import { filesMatching, type TreeFile } from './tree.ts'

/** Which packages each package may import: the table of docs/architecture.md, read from the page itself. */
const architecture = filesMatching(/^docs\/architecture\.md$/)[0]?.text ?? ''
const allowed = new Map(
  [...architecture.matchAll(/^\| `packages\/([a-z0-9]+)` \|.*\| ([^|]*) \|$/gm)].map((row) => [
    row[1] ?? '',
    new Set((row[2] ?? '').match(/[a-z0-9]+/g)?.filter((word) => word !== 'nothing') ?? []),
  ]),
)
const sources = filesMatching(/^packages\/[^/]+\/src\/.*\.ts$/)
const names = new Set(sources.map((file) => packageOf(file.path)))

test('the map in docs/architecture.md names every package, and no other', () => {
  expect([...allowed.keys()].sort()).toEqual([...names].sort())
})

test.each([...names].sort())('%s imports only what the map allows', (name) => {
  const wrong = sources
    .filter((file) => packageOf(file.path) === name)
    .flatMap((file) =>
      importsOf(file)
        .filter((specifier) => specifier.startsWith('@carillon/'))
        .map((specifier) => specifier.split('/')[1] ?? '')
        .filter((imported) => !allowed.get(name)?.has(imported))
        .map((imported) => `${file.path} imports ${imported}`),
    )
  expect(wrong).toEqual([])
})

test('relative imports stay inside their package', () => {
  const wrong = sources.flatMap((file) =>
    importsOf(file)
      .filter((specifier) => specifier.startsWith('.'))
      .filter((specifier) => packageOf(resolve(file.path, specifier)) !== packageOf(file.path))
      .map((specifier) => `${file.path} imports ${specifier}`),
  )
  expect(wrong).toEqual([])
})

test('the engine, the wire and the client library import nothing from Node but what their runtime offers', () => {
  const wrong = sources
    .filter((file) => packageOf(file.path) === 'wire')
    .flatMap((file) =>
      importsOf(file)
        .filter((specifier) => !specifier.startsWith('.'))
        .map((specifier) => `${file.path} imports ${specifier}`),
    )
  expect(wrong).toEqual([])
})

/** Rooms of the push service that must not know each other: they meet in delivery, over store and bus. */
const walls: readonly (readonly [from: string, to: readonly string[]])[] = [
  ['gateway', ['courier']],
  ['courier', ['gateway']],
  ['delivery', ['gateway', 'courier']],
  ['store', ['gateway', 'courier', 'delivery']],
  ['registry', ['gateway', 'courier', 'delivery', 'store']],
  ['bus', ['gateway', 'courier', 'store']],
  ['channels', ['courier', 'delivery', 'store']],
  ['faults', ['courier', 'legacy', 'delivery', 'store', 'channels']],
]

test.each(walls)('in the push service, %s does not import %s', (from, to) => {
  const folder = (path: string) => /^packages\/service\/src\/([^/]+)\//.exec(path)?.[1] ?? ''
  const folders = new Set(sources.map((file) => folder(file.path)))
  // A wall around a folder that is gone keeps nobody out.
  for (const one of [from, ...to]) expect(folders).toContain(one)
  const wrong = sources
    .filter((file) => folder(file.path) === from)
    .flatMap((file) =>
      importsOf(file)
        .filter(
          (specifier) => specifier.startsWith('.') && to.includes(folder(resolve(file.path, specifier))),
        )
        .map((specifier) => `${file.path} imports ${specifier}`),
    )
  expect(wrong).toEqual([])
})

function packageOf(path: string): string {
  return /^packages\/([^/]+)\//.exec(path)?.[1] ?? ''
}

function importsOf(file: TreeFile): string[] {
  return [
    ...file.text.matchAll(
      /^(?:import|export)\b[^'"]*?from\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)|^import\s+['"]([^'"]+)['"]/gm,
    ),
  ].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
}

function resolve(from: string, specifier: string): string {
  const parts = from.split('/').slice(0, -1)
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '.') parts.push(part)
  }
  return parts.join('/')
}
