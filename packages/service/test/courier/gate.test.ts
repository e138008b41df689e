import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { Admission } from '../../src/courier/admission.ts'
import { Gate } from '../../src/courier/drivers/gate.ts'
import { newCourierCounters } from '../../src/courier/session-host.ts'
import { limits } from '../../src/limits.ts'
import { nowMs } from '../store/store-fixture.ts'

/** A gate that lets one connection in at once, and the others when the test says so. */
async function gateWorld() {
  const clock = { nowMs }
  const timers: (() => void)[] = []
  const admission = new Admission(
    { handshakesPerSecond: 1 },
    () => clock.nowMs,
    (run) => void timers.push(run),
  )
  const admitted: Socket[] = []
  const gate = new Gate({
    ...{ host: '127.0.0.1', port: 0, admission, counters: newCourierCounters(), now: () => clock.nowMs },
    connections: () => 0,
    onAdmitted: (socket) => void admitted.push(socket),
  })
  const { port } = await gate.listen()
  onTestFinished(async () => {
    const closed = gate.close()
    gate.cutUnproven()
    for (const socket of admitted) socket.destroy()
    await closed
  })
  return {
    ...{ gate, admission, admitted, clock },
    async dial(from: { localAddress?: string; localPort?: number } = {}): Promise<Socket> {
      const socket = connect({ host: '127.0.0.1', port, ...from })
      socket.on('error', () => {})
      onTestFinished(() => void socket.destroy())
      await once(socket, 'connect')
      return socket
    },
    async until(condition: () => boolean): Promise<void> {
      while (!condition()) await new Promise((resolve) => setImmediate(resolve))
    },
    /** Those in the line have their turn. */
    pump(): void {
      clock.nowMs += 1000
      for (const run of timers.splice(0)) run()
    },
  }
}

test('a peer that comes back from the same port while its reset connection waits leaves the budget whole', async () => {
  const { admission, admitted, dial, until, pump } = await gateWorld()
  await dial()
  // An address of loopback that others do not use, where there is one: nobody takes the port meanwhile.
  const own = process.platform === 'linux' ? { localAddress: '127.0.0.2' } : {}
  const first = await dial(own)
  await until(() => admission.waiting === 1)
  const { localPort } = first
  first.resetAndDestroy()
  await once(first, 'close')
  // The service does not read what waits, so it does not know yet.
  await dial({ ...own, localPort: localPort! })
  await until(() => admission.waiting === 2)
  expect(admission.unproven).toBe(3)
  pump()
  pump()
  expect(admitted.length).toBe(3)
  const closed = admitted.map((socket) => once(socket, 'close'))
  for (const socket of admitted) socket.destroy()
  await Promise.all(closed)
  expect(admission.unproven).toBe(0)
})

test('a connection that proves nothing is cut, whatever it waits for', async () => {
  const { gate, admission, admitted, clock, dial, until, pump } = await gateWorld()
  await dial()
  await until(() => admitted.length === 1)
  const second = await dial()
  await until(() => admission.waiting === 1)
  clock.nowMs += limits.unprovenMsMax - 1000
  pump()
  gate.tick(clock.nowMs)
  expect(admission.unproven).toBe(2)
  gate.tick(clock.nowMs + 1)
  expect([admission.unproven, admitted.map(({ destroyed }) => destroyed)]).toEqual([1, [true, false]])
  const cut = once(second, 'close')
  second.resume()
  gate.tick(clock.nowMs + limits.unprovenMsMax + 1)
  await cut
  expect(admission.unproven).toBe(0)
})
