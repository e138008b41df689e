import { courierExtensions, courierReports, type Presentation } from '@carillon/wire'
import { expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { Reports } from '../../src/reports/reports.ts'
import type { CourierSession } from '../../src/session/courier-session.ts'
import { SessionWorld } from '../support/session-world.ts'

const bundleId = 'com.example.bells'
const deviceToken = 'd0'.repeat(32)
const idOf = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
const banner = { kind: 'banner' } as Presentation

function reportsOver(session: () => CourierSession | undefined): Reports {
  const app = {
    bundleId,
    environment: 'sandbox' as const,
    installation: '00'.repeat(8),
    deviceToken,
    badge: 0,
  }
  return new Reports({ state: { app: (id) => (id === bundleId ? app : undefined) }, session })
}

test('shown and opened are told where the courier agreed to hear of it', () => {
  const world = SessionWorld.connected({ extensions: courierExtensions.reports })
  const before = world.sent.length
  const reports = reportsOver(() => world.session)
  const token = new Uint8Array(32).fill(0xee)
  reports.presented({ apnsId: idOf(1), bundleId }, banner, token)
  reports.opened({ apnsId: idOf(1), bundleId })
  reports.opened({ apnsId: idOf(2), bundleId })
  const told = world.sent.slice(before)
  expect(told).toMatchObject([
    { type: 'tracingAck', token, report: courierReports.shown },
    { type: 'tracingAck', token, report: courierReports.opened },
    // The user may open one long after it came: then by the token that the app has.
    { type: 'tracingAck', token: new Uint8Array(32).fill(0xd0), report: courierReports.opened },
  ])
})

test.each(['silent', 'app', 'effect', 'none', 'activity'] as const)('%s shows nothing to tell of', (kind) => {
  const world = SessionWorld.connected({ extensions: courierExtensions.reports })
  const before = world.sent.length
  const reports = reportsOver(() => world.session)
  reports.presented({ apnsId: idOf(1), bundleId }, { ...banner, kind }, undefined)
  reports.opened({ apnsId: 'of a foreign courier', bundleId })
  reports.opened({ apnsId: idOf(1), bundleId: 'com.example.removed' })
  expect(world.sent.slice(before)).toEqual([])
})

test('a courier that did not agree is told nothing', () => {
  const world = SessionWorld.connected({ extensions: courierExtensions.installation })
  const before = world.sent.length
  reportsOver(() => world.session).opened({ apnsId: idOf(1), bundleId })
  expect(world.sent.slice(before)).toEqual([])
})

test('what happens without a connection is told with the next one, the oldest dropped beyond the bound', () => {
  let session: CourierSession | undefined
  const reports = reportsOver(() => session)
  for (let number = 0; number < limits.reportsWaitingMax + 5; number++) {
    reports.opened({ apnsId: idOf(number), bundleId })
  }
  const world = SessionWorld.connected({ extensions: courierExtensions.reports })
  session = world.session
  const before = world.sent.length
  reports.connected('production')
  expect(world.sent.length).toBe(before)
  reports.connected('sandbox')
  const told = world.sent.slice(before)
  expect(told).toHaveLength(limits.reportsWaitingMax)
  expect(told[0]).toMatchObject({
    tracingId: Uint8Array.from([0, 0, 0, 0, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, 5]),
  })
  reports.connected('sandbox')
  expect(world.sent.length).toBe(before + limits.reportsWaitingMax)
})
