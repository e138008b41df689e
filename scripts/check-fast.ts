/** Everything that can be said about the tree without running it: format, lint, types, dead code, layers. */
import { spawn } from 'node:child_process'

interface Check {
  readonly name: string
  readonly command: readonly string[]
}

const bin = 'node_modules/.bin'
// Two lanes, since the type checkers are the long ones and each uses one core well.
const lanes: readonly (readonly Check[])[] = [
  [
    { name: 'types', command: [`${bin}/tsc`, '-b'] },
    { name: 'types of tests, benches and examples', command: [`${bin}/tsc`, '-p', 'tsconfig.test.json'] },
  ],
  [
    { name: 'format and lint', command: [`${bin}/biome`, 'ci', '--error-on-warnings', '.'] },
    { name: 'dead code', command: [`${bin}/knip`] },
    { name: 'layers and tidiness', command: [`${bin}/vitest`, 'run', '--project', 'repository'] },
  ],
]

const failed = (await Promise.all(lanes.map(runLane))).flat()
if (failed.length > 0) {
  console.error(`\nFailed: ${failed.join(', ')}`)
  process.exit(1)
}

async function runLane(checks: readonly Check[]): Promise<string[]> {
  const failures: string[] = []
  for (const check of checks) {
    const { code, output, seconds } = await run(check.command)
    console.log(`${code === 0 ? 'ok  ' : 'FAIL'}  ${check.name} (${seconds.toFixed(1)} s)`)
    if (code === 0) continue
    console.log(output)
    failures.push(check.name)
  }
  return failures
}

function run([program, ...args]: readonly string[]): Promise<{
  code: number
  output: string
  seconds: number
}> {
  const started = performance.now()
  return new Promise((resolve, reject) => {
    const child = spawn(program ?? '', args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
    })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    child.on('error', reject)
    child.on('close', (code) =>
      resolve({ code: code ?? 1, output, seconds: (performance.now() - started) / 1000 }),
    )
  })
}
