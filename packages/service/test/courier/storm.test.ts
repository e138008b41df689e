import { expect, onTestFinished, test } from 'vitest'
import { nowMs } from '../store/store-fixture.ts'
import { certificates, startWorld, topic } from './courier-over-tls.ts'
import { TlsPhone } from './tls-phone.ts'

/** A courier that lets a few in, with a clock that runs. */
function slowCourier() {
  const startedMs = Date.now()
  return startWorld({
    now: () => nowMs + Date.now() - startedMs,
    admission: { handshakesPerSecond: 80, handshakeWaitMsMax: 500, unprovenConnectionsMax: 1000 },
  })
}

test('a storm of connections: each is let in or reset, the line is bounded, and those connected are served meanwhile', async () => {
  const { courier, dial, accept } = await slowCourier()
  const phone = await dial()
  await phone.connect(await certificates.device('phone-1'), nowMs)
  const token = await phone.register(topic)
  const storm = Array.from({ length: 150 }, () => TlsPhone.dial(courier.address.port))
  onTestFinished(async () => {
    for (const outcome of await Promise.allSettled(storm)) {
      if (outcome.status === 'fulfilled') await outcome.value.leave()
    }
  })
  while (courier.admission.waiting === 0) await new Promise((resolve) => setImmediate(resolve))
  // While they wait, a push goes through to its device.
  const accepted = accept(token, 'in the storm')
  const { id } = await phone.hear('notification')
  phone.say({ type: 'ack', id, status: 0 })
  expect(await accepted).toBe('accepted')
  expect(courier.admission.waiting).toBeGreaterThan(0)
  expect(courier.admission.waiting).toBeLessThanOrEqual(40)

  const outcomes = await Promise.allSettled(storm)
  const admitted = outcomes.filter(({ status }) => status === 'fulfilled').length
  expect(courier.admission).toMatchObject({
    admitted: admitted + 1,
    refused: 150 - admitted,
    waiting: 0,
    unproven: admitted,
  })
  expect([admitted < 150, courier.counters.refused]).toEqual([true, 150 - admitted])
  // Whoever was reset comes again, and is let in when there is room.
  const late = await dial()
  expect((await late.connect(await certificates.device('phone-2'), nowMs)).status).toBe(0)
})

test('a drained courier sends its devices away and takes none', async () => {
  const { courier, dial } = await startWorld()
  const phones = [await dial(), await dial()]
  for (const [index, phone] of phones.entries()) {
    await phone.connect(await certificates.device(`drained-${index}`), nowMs, { extensions: 16 })
  }
  await courier.drain({ to: 'other.example:5223', withinMs: 200 })
  for (const phone of phones) {
    expect(await phone.hear('redirect')).toMatchObject({ host: 'other.example:5223' })
    await phone.closed
  }
  const late = await dial()
  const { redirectHost } = await late.connect(await certificates.device('late'), nowMs)
  expect([redirectHost, courier.counters.redirected]).toEqual(['other.example:5223', 3])
  await late.closed
})

test('a drain that sends devices elsewhere holds, also where an earlier one ends that was to bring them back', async () => {
  const { courier, dial } = await startWorld()
  for (const name of ['early-1', 'early-2'])
    await (await dial()).connect(await certificates.device(name), nowMs)
  const back = courier.drain({ withinMs: 200 })
  const away = courier.drain({ to: 'other.example:5223', withinMs: 0 })
  await Promise.all([back, away])
  const late = await dial()
  expect((await late.connect(await certificates.device('late'), nowMs)).redirectHost).toBe(
    'other.example:5223',
  )
})
