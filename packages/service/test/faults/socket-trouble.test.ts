import { Duplex } from 'node:stream'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { troubleOf } from '../../src/faults/drivers/socket-trouble.ts'
import { Faults } from '../../src/faults/faults.ts'
import { limits } from '../../src/limits.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

/** A socket that takes everything and brings what `push` is given. */
const socket = () => new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })

test('a half-open connection, whose end nobody would notice, is let go in the end', () => {
  const dead = socket()
  const trouble = troubleOf(dead, new Faults({ now: Date.now }))
  trouble.halfOpen()
  trouble.halfOpen()
  // The peer has ended; a connection that hears nothing does not hear that.
  dead.push(null)
  vi.advanceTimersByTime(limits.faultHalfOpenMsMax - 1)
  expect([dead.destroyed, vi.getTimerCount()]).toEqual([false, 1])
  vi.advanceTimersByTime(1)
  expect([dead.destroyed, vi.getTimerCount()]).toEqual([true, 0])
})

test('a half-open connection that has ended otherwise is not kept in memory until then', async () => {
  const dead = socket()
  troubleOf(dead, new Faults({ now: Date.now })).halfOpen()
  const closed = new Promise((resolve) => dead.once('close', resolve))
  dead.destroy()
  await closed
  expect(vi.getTimerCount()).toBe(0)
})
