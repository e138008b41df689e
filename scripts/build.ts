/**
 * Makes `packages/<name>/dist` publishable: JavaScript with types and source maps, a package.json of its own
 * that points at them, README and licence; then checks each with publint and are-the-types-wrong.
 * Publish one with `npm publish packages/<name>/dist`.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { type Manifest, publishedManifest } from './published-manifest.ts'

const packages = readdirSync('packages')
for (const name of packages) rmSync(join('packages', name, 'dist'), { recursive: true, force: true })
const compiled = spawnSync('node_modules/.bin/tsc', ['-b'], { stdio: 'inherit' })
if (compiled.status !== 0) process.exit(1)

let faults = 0
for (const name of packages) {
  const dist = join('packages', name, 'dist')
  const manifest = JSON.parse(readFileSync(join('packages', name, 'package.json'), 'utf8')) as Manifest
  // Belongs to the compiler; the next type check starts from nothing.
  rmSync(join(dist, '.tsbuildinfo'))
  writeFileSync(join(dist, 'package.json'), `${JSON.stringify(publishedManifest(manifest), null, 2)}\n`)
  copyFileSync('LICENSE', join(dist, 'LICENSE'))
  const readme = join('packages', name, 'README.md')
  if (existsSync(readme)) copyFileSync(readme, join(dist, 'README.md'))
  const { messages } = await publint({ pkgDir: dist, strict: true })
  for (const message of messages) console.error(`${manifest.name}: ${formatMessage(message, manifest)}`)
  faults += messages.filter((message) => message.type === 'error').length
  if (manifest.exports !== undefined && !typesResolve(dist)) faults += 1
  // Others do something when they are loaded, and may need an environment for it.
  const entries = manifest.sideEffects === false ? Object.keys(manifest.exports ?? {}) : []
  for (const path of entries) if (!loads(dist, join(manifest.name, path))) faults += 1
  console.log(`${manifest.name} → ${dist}`)
}
process.exit(faults === 0 ? 0 : 1)

/** Packs it and looks up its types as compilers of every setting do. `require` gets the same ES modules (Node ≥ 22.12). */
function typesResolve(dist: string): boolean {
  const attw = spawnSync('node_modules/.bin/attw', ['--pack', dist, '--profile', 'esm-only'], {
    encoding: 'utf8',
  })
  if (attw.status !== 0) console.error(attw.stdout, attw.stderr)
  return attw.status === 0
}

/** Loads an entry by `import` and by `require`, as the programs that install it do. */
function loads(dist: string, entry: string): boolean {
  return ['module', 'commonjs'].every((type) => {
    const load = type === 'module' ? `await import('${entry}')` : `require('${entry}')`
    // The folder's own package.json names it, so Node finds the entry there.
    const child = spawnSync(process.execPath, [`--input-type=${type}`, '-e', load], {
      cwd: dist,
      encoding: 'utf8',
    })
    if (child.status !== 0) console.error(entry, type, child.stderr)
    return child.status === 0
  })
}
