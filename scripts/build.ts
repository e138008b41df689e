/**
 * Makes `packages/<name>/dist` publishable: JavaScript with types and source maps, a package.json of its own
 * that points at them, README and licence; then checks each with publint.
 * Publish one with `npm publish packages/<name>/dist`.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'

interface Manifest {
  name: string
  bin?: Record<string, string>
  exports?: Record<string, string>
  [key: string]: unknown
}

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
  writeFileSync(join(dist, 'package.json'), `${JSON.stringify(published(manifest), null, 2)}\n`)
  copyFileSync('LICENSE', join(dist, 'LICENSE'))
  const readme = join('packages', name, 'README.md')
  if (existsSync(readme)) copyFileSync(readme, join(dist, 'README.md'))
  const { messages } = await publint({ pkgDir: dist, strict: true })
  for (const message of messages) console.error(`${manifest.name}: ${formatMessage(message, manifest)}`)
  faults += messages.filter((message) => message.type === 'error').length
  console.log(`${manifest.name} → ${dist}`)
}
process.exit(faults === 0 ? 0 : 1)

/** In the repository everything runs from `src`; what is published runs from the files beside its package.json. */
function published(manifest: Manifest): Manifest {
  const { files: _files, scripts: _scripts, bin, ...rest } = manifest
  const built = Object.entries(manifest.exports ?? {}).map(([path, source]) => {
    const file = source.replace(/^\.\/src\//, './').replace(/\.ts$/, '')
    return [path, { types: `${file}.d.ts`, default: `${file}.js` }]
  })
  return {
    ...rest,
    ...(built.length > 0 ? { exports: Object.fromEntries(built) } : {}),
    ...(bin ? { bin: Object.fromEntries(Object.keys(bin).map((name) => [name, './main.js'])) } : {}),
  }
}
