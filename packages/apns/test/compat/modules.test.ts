import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { publishedManifest } from '../../../../scripts/published-manifest.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../../../..')

/** What a program sees of a library, in each way that it may get it; printed as JSON. */
const shapeOf = 'const shapeOf = (o) => Object.keys(o).filter((k) => k !== "module.exports").sort();'

const programs: readonly (readonly [name: string, type: string, code: (library: string) => string])[] = [
  ['require', 'commonjs', (library) => `const apn = require('${library}'); print(shapeOf(apn))`],
  [
    'require of names',
    'commonjs',
    (library) =>
      `const { Notification, PushType } = require('${library}'); print([typeof Notification, typeof PushType])`,
  ],
  [
    'import of names',
    'module',
    (library) =>
      `const { Notification, PushType } = await import('${library}'); print([typeof Notification, typeof PushType])`,
  ],
]

const nodeApnOnly: typeof programs = [
  ['import of the default', 'module', (library) => `import apn from '${library}'; print(shapeOf(apn))`],
  [
    'a class of its own',
    'commonjs',
    (library) =>
      `const apn = require('${library}'); class Own extends apn.Notification {}; ` +
      `const n = new Own({ alert: 'a' }); print([n instanceof apn.Notification, n.compile()])`,
  ],
  [
    'a notification of its own, as a function',
    'commonjs',
    (library) =>
      `const apn = require('${library}'); function Own() { apn.Notification.call(this, { alert: 'a', topic: 't' }) } ` +
      `require('node:util').inherits(Own, apn.Notification); const n = new Own(); n.badge = 2; ` +
      `print([n instanceof Own, n.compile(), n.headers()])`,
  ],
  [
    'a provider of its own, compiled to a function',
    'commonjs',
    (library) =>
      `const apn = require('${library}'); function Own(o) { return apn.Provider.call(this, o) || this } ` +
      `require('node:util').inherits(Own, apn.Provider); Own.prototype.more = () => 'more'; ` +
      `const { privateKey } = require('node:crypto').generateKeyPairSync('ec', { namedCurve: 'P-256' }); ` +
      `const key = privateKey.export({ type: 'pkcs8', format: 'pem' }); ` +
      `const own = new Own({ token: { key, keyId: 'ABCDEFGHIJ', teamId: 'ABCDEFGHIJ' } }); ` +
      `own.send(new apn.Notification(), []).then((said) => { print([own instanceof Own, own.more(), said]); own.shutdown() })`,
  ],
  [
    'something else put in its place',
    'commonjs',
    (library) => `const apn = require('${library}'); apn.Provider = 7; print(require('${library}').Provider)`,
  ],
]

async function output(type: string, code: string, cwd = import.meta.dirname): Promise<unknown> {
  const print = 'const print = (what) => console.log(JSON.stringify(what));'
  const args = [`--input-type=${type}`, '--no-warnings', '-e', `${shapeOf} ${print} ${code}`]
  const { stdout } = await run(process.execPath, args, { cwd })
  return JSON.parse(stdout)
}

/** A folder where the package lies as it is published, compiled. */
let published: string
beforeAll(async () => {
  published = await mkdtemp(join(tmpdir(), 'carillon-published-'))
  const installed = join(published, 'node_modules', '@carillon')
  const tsc = join(root, 'node_modules/.bin/tsc')
  const into = ['--outDir', join(installed, 'apns'), '--composite', 'false', '--incremental', 'false']
  const compiled = run(tsc, ['-p', join(root, 'packages/apns'), ...into, '--tsBuildInfoFile', 'null'])
  await mkdir(installed, { recursive: true })
  for (const name of ['http2', 'wire']) await symlink(join(root, 'packages', name), join(installed, name))
  await compiled
  const manifest = JSON.parse(await readFile(join(root, 'packages/apns/package.json'), 'utf8'))
  await writeFile(join(installed, 'apns/package.json'), JSON.stringify(publishedManifest(manifest)))
})
afterAll(() => rm(published, { recursive: true }))

describe.each([
  ['@parse/node-apn', '@carillon/apns/compat/node-apn', [...programs, ...nodeApnOnly]],
  ['apns2', '@carillon/apns/compat/apns2', programs.filter(([name]) => name !== 'require')],
] as const)('%s and %s', (original, ours, cases) => {
  test.each(cases)('%s', async (_name, type, code) => {
    const theirs = await output(type, code(original))
    expect(await output(type, code(ours))).toEqual(theirs)
    expect(await output(type, code(ours), published)).toEqual(theirs)
  })
})

test('require of apns2 gives what the original gives, and one error class more', async () => {
  const code = (library: string) => `print(shapeOf(require('${library}')))`
  const [theirs, own] = await Promise.all([
    output('commonjs', code('apns2')),
    output('commonjs', code('@carillon/apns/compat/apns2')),
  ])
  expect(own).toEqual([...(theirs as string[]), 'UnansweredError'].sort())
})
