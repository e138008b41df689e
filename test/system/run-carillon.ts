import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Endpoints } from '@carillon/system'

/** Root of the repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url))
/** The Node that the repository pins, and the command that it runs from source. */
export const pinnedNode = join(root, 'node_modules', '.bin', 'node')
export const carillonMain = join(root, 'packages', 'cli', 'src', 'main.ts')

// Hundreds of short commands compile the same sources: kept compiled, they start in half the time.
const compileCache = join(root, 'node_modules', '.cache', 'carillon-tests')

/** How a process ended and what it had said. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** One line of a command that speaks JSON. */
// biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests check
export type JsonLine = Record<string, any>

/** The lines of an output as objects; a line that is not JSON fails the test. */
export function jsonLines(text: string): JsonLine[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      try {
        return JSON.parse(line) as JsonLine
      } catch (cause) {
        throw new Error(`not a line of JSON: ${line}`, { cause })
      }
    })
}

// What a failed test leaves behind goes with the test process.
const alive = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})

/** A process and all it has said so far; `ended` resolves when it and whoever inherited its output is gone. */
export class Run {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  stdout = ''
  stderr = ''
  #hasEnded = false
  readonly #waiting = new Set<() => void>()

  constructor(program: string, args: readonly string[], options: SpawnOptions = {}) {
    this.child = spawn(program, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] })
    alive.add(this.child)
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
      this.#look()
    })
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
      this.#look()
    })
    // A program that has read enough closes its end of the pipe first; its exit code says whether that is wrong.
    this.child.stdin?.on('error', () => {})
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject)
      this.child.once('close', (code, signal) => {
        alive.delete(this.child)
        this.#hasEnded = true
        this.#look()
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr })
      })
    })
  }

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** The complete lines on stdout so far, as JSON. */
  get lines(): JsonLine[] {
    return jsonLines(this.stdout.slice(0, this.stdout.lastIndexOf('\n') + 1))
  }

  /** Resolves with what `find` finds in the output, as soon as it does; rejects when the process ends without. */
  waitFor<T>(what: string, find: (run: this) => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = find(this)
        if (found !== undefined) resolve(found)
        else if (this.#hasEnded)
          reject(new Error(`ended before ${what}; stdout: ${this.stdout} stderr: ${this.stderr}`))
        else return
        this.#waiting.delete(look)
      }
      this.#waiting.add(look)
      look()
    })
  }

  /** The first JSON line with `"event": name` for which `test` holds. */
  event(name: string, test: (line: JsonLine) => boolean = () => true): Promise<JsonLine> {
    return this.waitFor(`the event ${name}`, ({ lines }) =>
      lines.find((line) => line.event === name && test(line)),
    )
  }

  /** Asks the process to end and waits until it has, by itself. */
  end(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    if (!this.#hasEnded) this.child.kill(signal)
    return this.ended
  }

  #look(): void {
    for (const look of [...this.#waiting]) look()
  }
}

export interface RunningUp {
  readonly run: Run
  readonly endpoints: Endpoints
}

/** A temporary directory and everything that a test starts in it. Close it when the test is over. */
export class Place {
  readonly dir = mkdtempSync(join(tmpdir(), 'carillon-system-'))
  readonly #runs: Run[] = []

  path(...parts: string[]): string {
    return join(this.dir, ...parts)
  }

  /** Data directory of this place's system; several tests use another one beside it. */
  get data(): string {
    return this.path('data')
  }

  /** Starts any program here. */
  start(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Run {
    const run = new Run(program, args, { cwd: this.dir, env: { ...plainEnvironment(), ...env } })
    this.#runs.push(run)
    return run
  }

  /** Runs any program to its end; `input` goes to its stdin. */
  exec(program: string, args: readonly string[], input?: string | Uint8Array): Promise<Ended> {
    const run = this.start(program, args)
    run.child.stdin?.end(input)
    return run.ended
  }

  /** Starts a `carillon` command that stays. */
  startCarillon(...args: string[]): Run {
    return this.start(pinnedNode, [carillonMain, ...args])
  }

  /** Runs a `carillon` command to its end. */
  carillon(...args: string[]): Promise<Ended> {
    return this.exec(pinnedNode, [carillonMain, ...args])
  }

  /** Runs a `carillon` command with `--json` that must exit 0; gives its lines. */
  async lines(...args: string[]): Promise<JsonLine[]> {
    const ended = await this.carillon(...args, '--json')
    if (ended.code !== 0) throw new Error(`carillon ${args.join(' ')}: exit ${ended.code}, ${ended.stderr}`)
    return jsonLines(ended.stdout)
  }

  /** The same for a command that prints one line. */
  async line(...args: string[]): Promise<JsonLine> {
    const [line, ...more] = await this.lines(...args)
    if (line === undefined || more.length > 0) throw new Error(`${args.join(' ')} printed not one line`)
    return line
  }

  /** `carillon up --json` on free ports, when everything accepts connections. */
  async up(data = this.data): Promise<RunningUp> {
    const run = this.startCarillon('up', '--data', data, '--ports', 'auto', '--json')
    return { run, endpoints: (await run.event('ready')) as Endpoints }
  }

  /** Ends what still runs, newest first: each must end by itself and with exit code 0. Deletes the directory. */
  async close(): Promise<void> {
    const wrong: string[] = []
    for (const run of this.#runs.reverse()) {
      if (run.hasEnded) continue
      const { code, signal, stderr } = await run.end()
      if (code !== 0) wrong.push(`${run.child.spawnargs.join(' ')}: ${signal ?? `exit ${code}`}, ${stderr}`)
    }
    await rm(this.dir, { recursive: true, force: true })
    if (wrong.length > 0) throw new Error(wrong.join('\n'))
  }
}

/** The environment of the test run, without what the runner itself put there. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const mine = /^(NODE_OPTIONS|VITEST.*|CARILLON_.*|FORCE_COLOR|npm_command)$/
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !mine.test(name)))
  return { ...env, NO_COLOR: '1', NODE_COMPILE_CACHE: compileCache }
}
