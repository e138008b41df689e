import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import type { Endpoints } from '@carillon/system'
import { describe, expect, test } from 'vitest'
import { jsonLines, Place, type Run, root } from './run-carillon.ts'
import { startApp, startDevice } from './running-app.ts'

const { scripts } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as {
  scripts: Record<string, string>
}

/**
 * `npm start -- ARGUMENTS` by the real npm, with the script of the repository but for the set-up that was done
 * before the tests began. npm hands signals to the shell that it starts: that must have become the system by
 * then (`exec`), or it would end alone.
 */
async function npmStart(place: Place, ...args: string[]): Promise<Run> {
  const [setup, start] = (scripts.start ?? '').split(' && ')
  expect([setup, start]).toEqual(['node scripts/setup.mjs', expect.stringMatching(/^exec node_modules/)])
  const script = start?.replaceAll(/(?<= )(?=node_modules|packages)/g, root)
  await writeFile(place.path('package.json'), JSON.stringify({ scripts: { start: script } }))
  return place.start('npm', ['start', '--silent', '--', ...args])
}

/** Resolves with whether something accepts connections there. */
function accepts({ host, port }: { host: string; port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port })
    const answer = (accepted: boolean) => () => {
      socket.destroy()
      resolve(accepted)
    }
    socket.once('connect', answer(true)).once('error', answer(false))
  })
}

/** Processes that have this directory in their command line (Linux; elsewhere nothing is seen). */
function processesOf(dir: string): string[] {
  if (!existsSync('/proc/self/cmdline')) return []
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return false
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(dir)
    } catch {
      return false // it has ended meanwhile
    }
  })
}

async function expectGone(place: Place, { environments, provider, portal }: Endpoints): Promise<void> {
  expect(existsSync(place.path('data', 'endpoints.json'))).toBe(false)
  expect(processesOf(place.dir)).toEqual([])
  const urls = [provider.url, portal.url].map((url) => new URL(url))
  const addresses = [
    ...Object.values(environments).flatMap(({ http2, courier }) => [http2, courier]),
    ...urls.map(({ hostname, port }) => ({ host: hostname, port: Number(port) })),
  ]
  expect(addresses).toHaveLength(6)
  expect(await Promise.all(addresses.map(accepts))).toEqual(addresses.map(() => false))
}

describe.each(['SIGINT', 'SIGTERM'] as const)('%s', (signal) => {
  test('to npm start ends the whole system, without an orphan', async () => {
    const place = new Place()
    try {
      const run = await npmStart(place, '--data', place.data, '--ports', 'auto', '--json')
      const endpoints = (await run.event('ready')) as Endpoints
      // `ended` waits for everybody who has inherited the output.
      const ended = await run.end(signal)
      expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' })
      await expectGone(place, endpoints)
    } finally {
      await place.close()
    }
  })
})

describe.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s', (signal) => {
  test('to up exits 0 and takes endpoints.json away; nothing more is printed', async () => {
    const place = new Place()
    try {
      const { run, endpoints } = await place.up()
      expect(await run.end(signal)).toMatchObject({ code: 0, signal: null, stderr: '' })
      expect(jsonLines(run.stdout)).toEqual([endpoints])
      await expectGone(place, endpoints)
    } finally {
      await place.close()
    }
  })
})

test('SIGTERM while up is starting ends it, and the next start works', async () => {
  const place = new Place()
  try {
    const run = place.startCarillon('up', '--data', place.data, '--ports', 'auto', '--json')
    // The directory of the provider is made first of all; the rest is still to come.
    await untilExists(run, place.path('data', 'provider'))
    const { code, signal } = await run.end()
    // Before its handlers are in place a process ends by the signal itself.
    expect([code, signal]).toSatisfy(([c, s]) => c === 0 || s === 'SIGTERM')
    expect(existsSync(place.path('data', 'endpoints.json'))).toBe(false)
    expect(processesOf(place.dir)).toEqual([])
    await place.up()
  } finally {
    await place.close()
  }
})

test('open connections do not hold the end up', async () => {
  const place = new Place()
  try {
    const { run, endpoints } = await place.up()
    const { http2, courier } = endpoints.environments.production
    const { hostname, port } = new URL(endpoints.provider.url)
    const addresses = [http2, courier, { host: hostname, port: Number(port) }]
    const sockets = addresses.map((address) => createConnection(address))
    const closed = sockets.map((socket) => {
      socket.on('error', () => {}) // a reset is an end as well
      return new Promise((resolve) => socket.once('close', resolve))
    })
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))))
    expect(await run.end()).toMatchObject({ code: 0, signal: null, stderr: '' })
    await Promise.all(closed)
  } finally {
    await place.close()
  }
})

test('Ctrl-C that comes from the terminal and again from npm is one request', async () => {
  const place = new Place()
  try {
    const { run } = await place.up()
    run.child.kill('SIGINT')
    expect(await run.end('SIGINT')).toMatchObject({ code: 0, signal: null, stderr: '' })
  } finally {
    await place.close()
  }
})

/** Watches the file system until a path is there; the process ending is a failure. */
async function untilExists(run: Run, path: string): Promise<void> {
  while (!existsSync(path)) {
    if (run.hasEnded) throw new Error(`ended before ${path} was there: ${run.stderr}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

test('a device that waits for a push service which is gone ends as soon as it is asked to', async () => {
  const place = new Place()
  try {
    const { up, device, profile } = await startApp(place)
    await device.end()
    up.run.child.kill('SIGKILL')
    await up.run.ended
    const waiting = startDevice(place, profile)
    await waiting.event('disconnected')
    expect((await waiting.end()).code).toBe(0)
  } finally {
    await place.close()
  }
})
