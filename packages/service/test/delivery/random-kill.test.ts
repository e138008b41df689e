import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../temporary-directory.ts'
import type { Command, Happening } from './killed-service.ts'

/*
 * A service that is killed again and again, at random instants, while providers send with all priorities and collapse
 * ids, and devices come, go, acknowledge some of what they get and report their power. The devices outlive it: they
 * remember what they have shown.
 */
const script = new URL('killed-service.ts', import.meta.url).pathname
const devices = [1, 2, 3, 4, 5, 6]
const killsPerRun = 4

/** The same numbers for the same seed. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

type Sent = Extract<Happening, { is: 'sent' }>

interface Asked {
  readonly device: number
  readonly collapseId: string
}

class World {
  readonly accepted = new Set<number>()
  readonly asked = new Map<number, Asked>()
  readonly shown = new Map<number, number[]>(devices.map((device) => [device, []]))
  readonly stored = new Map<number, number>()
  readonly #file: string
  readonly #random: (below: number) => number
  /** What devices got and did not acknowledge in this life of the service. */
  readonly #unacknowledged: Pick<Sent, 'device' | 'session' | 'id'>[] = []
  #child: ChildProcess | undefined
  #happenings = 0
  #waiting: (() => void) | undefined
  #count = 0

  constructor(file: string, seed: number) {
    this.#file = file
    this.#random = randomFrom(seed)
  }

  /** Starts the service, works with it, and kills it after a random number of happenings. */
  async liveAndDie(): Promise<void> {
    const ended = this.#start()
    const killAt = this.#happenings + this.#random(150)
    for (let turns = 0; this.#happenings < killAt; turns++) {
      for (let commands = this.#random(12); commands >= 0; commands--) this.#say(this.#randomCommand())
      // The pipe's other end gets its turn; where nothing happens by itself something is asked.
      if (turns % 3 === 0) await this.#happened()
    }
    this.#child!.kill('SIGKILL')
    await ended
  }

  /** Every device is connected, in use and acknowledges, until nothing is stored. */
  async settle(): Promise<void> {
    const ended = this.#start()
    for (const device of devices) {
      this.#say({ do: 'connect', device })
      this.#say({ do: 'power', device, bits: 7 })
    }
    for (;;) {
      for (const each of this.#unacknowledged.splice(0)) this.#say({ do: 'acknowledge', ...each })
      this.stored.clear()
      for (const device of devices) this.#say({ do: 'count', device })
      while (this.stored.size < devices.length) await this.#happened()
      if ([...this.stored.values()].every((count) => count === 0) && this.#unacknowledged.length === 0) break
    }
    this.#child!.kill('SIGKILL')
    await ended
  }

  #start(): Promise<void> {
    const child = spawn(process.execPath, [script, this.#file], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child = child
    this.#unacknowledged.length = 0
    // What is said to a service that was killed goes nowhere.
    child.stdin.on('error', () => {})
    const lines = createInterface({ input: child.stdout })
    lines.on('line', (line) => this.#hear(JSON.parse(line)))
    const closed = new Promise<void>((resolve) => lines.once('close', () => resolve()))
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    return Promise.all([closed, exited]).then(() => {
      this.#waiting?.()
    })
  }

  #randomCommand(): Command {
    const random = this.#random
    const device = devices[random(devices.length)]!
    switch (random(10)) {
      case 0:
        return { do: 'connect', device }
      case 1:
        return { do: random(3) === 0 ? 'lose' : 'connect', device }
      case 2:
        return { do: 'power', device, bits: random(8) }
      case 3:
      case 4:
      case 5: {
        const at = random(Math.max(1, this.#unacknowledged.length))
        const [each] = this.#unacknowledged.splice(at, 1)
        return each === undefined ? { do: 'connect', device } : { do: 'acknowledge', ...each }
      }
      default: {
        const number = ++this.#count
        const collapseId = random(4) === 0 ? 'a' : ''
        this.asked.set(number, { device, collapseId })
        return { do: 'accept', name: `${number}`, device, priority: [10, 5, 1][random(3)]!, collapseId }
      }
    }
  }

  #say(command: Command): void {
    this.#child!.stdin!.write(`${JSON.stringify(command)}\n`)
  }

  #hear(happening: Happening): void {
    this.#happenings++
    if (happening.is === 'accepted') this.accepted.add(Number(happening.name))
    else if (happening.is === 'count') this.stored.set(happening.device, happening.stored)
    else {
      const { device, session, id, name } = happening
      const shown = this.shown.get(device)!
      if (!shown.includes(Number(name))) shown.push(Number(name))
      this.#unacknowledged.push({ device, session, id })
    }
    this.#waiting?.()
  }

  #happened(): Promise<void> {
    const device = devices[0]!
    // So that something happens in any case.
    this.#say({ do: 'count', device })
    return new Promise((resolve) => {
      this.#waiting = resolve
    })
  }
}

const seeds = process.env.SEED === undefined ? [1, 2, 3] : [Number(process.env.SEED)]

test.each(seeds)(`killed ${killsPerRun} times: in order and shown once (SEED=%i)`, async (seed) => {
  const world = new World(join(temporaryDirectory(), 'service.db'), seed)
  for (let kills = 0; kills < killsPerRun; kills++) await world.liveAndDie()
  await world.settle()

  for (const device of devices) {
    const shown = world.shown.get(device)!
    expect(shown, 'in order of acceptance').toEqual(shown.toSorted((left, right) => left - right))
    const accepted = [...world.accepted].filter((number) => world.asked.get(number)!.device === device)
    const isQueue = device % 2 === 1
    const missed = accepted.filter((number) => !shown.includes(number))
    // In a queue only a newer one with the same collapse id takes the place of one that was accepted.
    for (const number of missed) {
      const { collapseId } = world.asked.get(number)!
      const isReplaced = [...world.asked].some(
        ([newer, asked]) =>
          newer > number && asked.device === device && (!isQueue || asked.collapseId === collapseId),
      )
      expect([number, isReplaced && (!isQueue || collapseId !== '')]).toEqual([number, true])
    }
    // The newest that was accepted is shown, or one that was on disk before its acceptance could be told.
    if (accepted.length > 0) expect(shown.at(-1)).toBeGreaterThanOrEqual(Math.max(...accepted))
  }
})
