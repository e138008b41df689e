// Makes a fresh clone ready: installs what package-lock.json names, when that is not what is installed.
// Node built-ins only, and plain enough for old Nodes to read, so that they get the sentence below.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const nodeMajorMin = 20
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const stampFile = join(root, 'node_modules', '.carillon-setup')

const major = Number(process.versions.node.split('.')[0])
if (major < nodeMajorMin) {
  console.error(
    `Carillon needs Node ${nodeMajorMin} or newer to set itself up; this is Node ${process.versions.node}.`,
  )
  console.error('Install a current Node from https://nodejs.org, then run the same command again.')
  process.exit(1)
}

const lock = readFileSync(join(root, 'package-lock.json'))
const wanted = createHash('sha256').update(lock).digest('hex')
if (!isInstalled()) install()

function isInstalled() {
  if (!existsSync(join(root, 'node_modules', '.bin', 'node'))) return false
  if (existsSync(stampFile)) return readFileSync(stampFile, 'utf8') === wanted
  // Installed by hand with npm: npm's own record is newer than the lockfile.
  const record = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(record) || statSync(record).mtimeMs < statSync(join(root, 'package-lock.json')).mtimeMs)
    return false
  writeFileSync(stampFile, wanted)
  return true
}

function install() {
  console.error('Setting up: installing what package-lock.json names (once, and again when it changes) …')
  const started = process.hrtime.bigint()
  // npm_execpath is the npm that runs us; without it (a plain `node scripts/setup.mjs`) the one on the PATH.
  const npm = process.env.npm_execpath
  const args = ['ci', '--loglevel=error', '--no-audit', '--no-fund']
  const done = npm
    ? spawnSync(process.execPath, [npm, ...args], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
    : spawnSync('npm', args, {
        cwd: root,
        stdio: ['ignore', 'ignore', 'inherit'],
        shell: process.platform === 'win32',
      })
  if (done.status !== 0) {
    console.error('Set-up failed: npm could not install the packages (its message is above).')
    console.error('Check that the npm registry can be reached, then run the same command again.')
    process.exit(1)
  }
  const probe = spawnSync(join(root, 'node_modules', '.bin', 'node'), ['--version'], { encoding: 'utf8' })
  if (probe.status !== 0) {
    console.error('Set-up failed: the pinned Node (npm package "node") does not run on this machine.')
    console.error(
      'If npm is told to ignore install scripts (npm config get ignore-scripts), allow them, then try again.',
    )
    process.exit(1)
  }
  writeFileSync(stampFile, wanted)
  const seconds = Number(process.hrtime.bigint() - started) / 1e9
  console.error(`Set up in ${seconds.toFixed(0)} s (Node ${probe.stdout.trim()}).`)
}
