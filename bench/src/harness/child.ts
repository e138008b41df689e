import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { cpuSecondsOf, rssKiBOf } from './process-usage.ts'
import { hasProgram } from './programs.ts'

/** Where a process runs: the side that is measured on one core, the side that loads it on the other. */
export const core = { server: 0, load: 1 } as const
export type Core = (typeof core)[keyof typeof core]

export type Line = Readonly<Record<string, unknown>>

const running = new Set<Child>()
process.once('exit', () => {
  for (const child of running) child.kill()
})

/** A process of a scenario, pinned to a core; ours speak in JSON lines, one each for what has happened. */
export class Child {
  readonly #name: string
  readonly #process: ChildProcess
  readonly #lines: Line[] = []
  readonly #waiting: (() => void)[] = []
  #text = ''
  #errors = ''
  #isOver = false

  /** @param command the program and its arguments */
  constructor(command: readonly string[], at: Core) {
    const pinned = canPin ? ['taskset', '-c', String(at), ...command] : command
    this.#name = command.slice(0, 2).join(' ')
    this.#process = spawn(pinned[0]!, pinned.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] })
    running.add(this)
    createInterface({ input: this.#process.stdout! }).on('line', (line) => this.#take(line))
    this.#process.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-4000)
    })
    this.#process.stdin!.on('error', () => {
      // It has ended; whoever waits for its answer is told so.
    })
    const over = (): void => {
      this.#isOver = true
      running.delete(this)
      for (const wake of this.#waiting.splice(0)) wake()
    }
    this.#process.once('close', over)
    this.#process.once('error', (error) => {
      this.#errors += error.message
      over()
    })
  }

  /** Everything that it has printed. */
  get text(): string {
    return this.#text
  }

  /** The end of what it has complained. */
  get errors(): string {
    return this.#errors
  }

  /** User and system time since it started, all its threads. */
  cpuSeconds(): number {
    return cpuSecondsOf(this.#process.pid!)
  }

  /** Resident memory now. */
  rssKiB(): number {
    return rssKiBOf(this.#process.pid!)
  }

  /** Waits for the line that tells an event; others are passed over. */
  async next(event: string): Promise<Line> {
    for (;;) {
      const at = this.#lines.findIndex((line) => line.event === event)
      if (at >= 0) return this.#lines.splice(0, at + 1).at(-1)!
      if (this.#isOver)
        throw new Error(`${this.#name} ended without "${event}": ${this.#errors || this.#text}`)
      await this.#change()
    }
  }

  /** Gives it a line to read. */
  send(line: Line): void {
    this.#process.stdin!.write(`${JSON.stringify(line)}\n`)
  }

  async ended(): Promise<void> {
    while (!this.#isOver) await this.#change()
  }

  /** Asks it to end, and waits until it has. */
  async stop(): Promise<void> {
    if (!this.#isOver) this.#process.kill('SIGTERM')
    const killing = setTimeout(() => this.kill(), 5000)
    await this.ended()
    clearTimeout(killing)
  }

  kill(): void {
    this.#process.kill('SIGKILL')
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #take(line: string): void {
    this.#text += `${line}\n`
    if (!line.startsWith('{')) return
    this.#lines.push(JSON.parse(line))
    for (const wake of this.#waiting.splice(0)) wake()
  }
}

/** Runs one of our programs in `bench/src`. */
export function ours(at: Core, file: string, ...given: readonly (string | number)[]): Child {
  return oursIn(at, {}, file, ...given)
}

/** The same with variables of its own in the environment. */
export function oursIn(
  at: Core,
  env: Readonly<Record<string, string>>,
  file: string,
  ...given: readonly (string | number)[]
): Child {
  const path = new URL(`../${file}`, import.meta.url).pathname
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const setting = variables.length === 0 ? [] : ['env', ...variables]
  return new Child([...setting, process.execPath, ...profiling(file), path, ...given.map(String)], at)
}

/** `BENCH_PROFILE=push-service` writes a CPU profile of each process whose file is named so. */
function profiling(file: string): string[] {
  const wanted = process.env.BENCH_PROFILE
  if (wanted === undefined || !file.includes(wanted)) return []
  return ['--cpu-prof', '--cpu-prof-dir=.build/profiles']
}

/** Runs a program to its end and gives what it printed. */
export async function outputOf(at: Core, command: readonly string[]): Promise<string> {
  const child = new Child(command, at)
  await child.ended()
  return child.text + child.errors
}

/** Waits until something listens, for programs that do not say so. */
export async function listening(port: number): Promise<void> {
  const { connect } = await import('node:net')
  for (let attempt = 0; attempt < 200; attempt++) {
    const socket = connect(port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      return
    } catch {
      // Not yet; it is asked again shortly.
      await new Promise((resolve) => setTimeout(resolve, 25))
    } finally {
      socket.destroy()
    }
  }
  throw new Error(`Nothing listens on port ${port} after 5 s.`)
}

/** A port that was free a moment ago, for programs that cannot choose one themselves. */
export async function freePort(): Promise<number> {
  const { createServer } = await import('node:net')
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

const canPin = hasProgram('taskset')
