import { readFileSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { everyCommand, nameOf } from '../../../packages/cli/src/command.ts'
import { program } from '../../../packages/cli/src/program.ts'
import { carillonMain, Place, pinnedNode } from '../run-carillon.ts'

const place = new Place()
afterAll(() => place.close())

const leaves = everyCommand(program).filter(({ commands }) => commands.length === 0)
const groups = everyCommand(program).filter(({ commands }) => commands.length > 0)

test.concurrent.each(leaves.map((command) => [nameOf(command), command] as const))(
  '%s --help exits 0 and has an example that the command itself would take',
  async (name, command) => {
    const { code, stdout, stderr } = await place.carillon(...name.split(' ').slice(1), '--help')
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain(`Usage: ${name} [options]`)
    const example = stdout.split('Example:\n  $ ')[1] ?? ''
    expect(example).toMatch(new RegExp(`^${name}( |\\n)`))
    const known = command.options.map(({ long }) => long)
    expect(known).toContain('--json')
    const given = example.match(/--[a-z0-9-]+/g) ?? []
    expect(known).toEqual(expect.arrayContaining(given))
    const needed = command.options.filter(({ mandatory }) => mandatory).map(({ long }) => long)
    expect(given).toEqual(expect.arrayContaining(needed))
  },
)

test.concurrent.each(groups.map((command) => [nameOf(command), command] as const))(
  '%s --help exits 0, names its commands and has an example; alone it is wrong usage',
  async (name, command) => {
    const path = name.split(' ').slice(1)
    const [asked, alone] = await Promise.all([place.carillon(...path, '--help'), place.carillon(...path)])
    expect([asked.code, asked.stderr]).toEqual([0, ''])
    for (const sub of command.commands) expect(asked.stdout).toMatch(new RegExp(`^ {2}${sub.name()} `, 'm'))
    expect(asked.stdout).toMatch(new RegExp(`Example:\\n {2}\\$ ${name} `))
    expect(alone).toEqual({ code: 2, signal: null, stdout: '', stderr: asked.stdout })
  },
)

test('help loads nothing that only the work of a command needs', async () => {
  const tellModules = `import { registerHooks } from 'node:module'
    registerHooks({ load: (url, context, next) => (console.error(url), next(url, context)) })`
  const hook = `data:text/javascript,${encodeURIComponent(tellModules)}`
  const { stderr } = await place.exec(pinnedNode, ['--import', hook, carillonMain, '--help'])
  const packages = [...stderr.matchAll(/\/(?:packages|node_modules)\/([^/]+)\//g)].map(([, name]) => name)
  // Of portal and system the short files that say what there is and where; either as a whole brings more packages.
  expect([...new Set(packages)].sort()).toEqual(['cli', 'commander', 'portal', 'system', 'wire'])
})

test('--version is the version of the package', async () => {
  const { version } = JSON.parse(readFileSync('packages/cli/package.json', 'utf8')) as { version: string }
  expect(await place.carillon('--version')).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' })
})
