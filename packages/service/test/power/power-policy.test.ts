import { expect, test } from 'vitest'
import { type PowerState, powerDefaults } from '../../src/power/power-options.ts'
import { PowerPolicy, type WeighedMessage } from '../../src/power/power-policy.ts'
import { nowMs } from '../store/store-fixture.ts'

const hourMs = 60 * 60_000
const asleep: PowerState = { isPlugged: false, isLowPowerMode: false, isScreenOn: false }
const states = {
  'on battery, screen off': asleep,
  'in low power mode, screen off': { ...asleep, isLowPowerMode: true },
  'on battery, screen on': { ...asleep, isScreenOn: true },
  'plugged in, screen off': { ...asleep, isPlugged: true },
} satisfies Record<string, PowerState>

function message(fields: Partial<WeighedMessage> = {}): WeighedMessage {
  return { device: 1, app: 'dev.example.app', priority: 10, pushType: 'alert', ...fields }
}

const { groupMs, lowPowerGroupMs, lowestMs, lowPowerLowestMs } = powerDefaults
test.each<[priority: number, keyof typeof states, waitsMs: number]>([
  [10, 'on battery, screen off', 0],
  [10, 'in low power mode, screen off', 0],
  [5, 'on battery, screen off', groupMs],
  [5, 'in low power mode, screen off', lowPowerGroupMs],
  [5, 'on battery, screen on', 0],
  [5, 'plugged in, screen off', 0],
  [1, 'on battery, screen off', lowestMs],
  [1, 'in low power mode, screen off', lowPowerLowestMs],
  [1, 'on battery, screen on', 0],
  [1, 'plugged in, screen off', 0],
])('priority %i, %s: waits %i ms at most', (priority, state, waitsMs) => {
  const policy = new PowerPolicy()
  expect(policy.groupDueMs(message({ priority }), states[state], nowMs)).toBe(nowMs + waitsMs)
})

test('background pushes: so many in any hour for each app and device', () => {
  const policy = new PowerPolicy()
  const push = message({ priority: 5, pushType: 'background' })
  const freeAt = (at: number, fields = {}) =>
    policy.budgetFreeAtMs({ ...push, ...fields }, states['plugged in, screen off'], at)
  for (const at of [nowMs, nowMs + 1000, nowMs + 2000]) {
    expect(freeAt(at)).toBe(at)
    policy.spend(push, states['plugged in, screen off'], at)
  }
  expect(freeAt(nowMs + 3000)).toBe(nowMs + hourMs)
  expect(freeAt(nowMs + 3000, { app: 'dev.example.other' })).toBe(nowMs + 3000)
  expect(freeAt(nowMs + 3000, { device: 2 })).toBe(nowMs + 3000)
  expect(freeAt(nowMs + hourMs)).toBe(nowMs + hourMs)
  policy.spend(push, states['plugged in, screen off'], nowMs + hourMs)
  expect(freeAt(nowMs + hourMs)).toBe(nowMs + hourMs + 1000)
})

test('plugged in with the screen on, background pushes are not counted', () => {
  const policy = new PowerPolicy({ backgroundPushesPerHour: 0 })
  const atTheDesk = { ...asleep, isPlugged: true, isScreenOn: true }
  const push = message({ priority: 5, pushType: 'background' })
  expect(policy.budgetFreeAtMs(push, atTheDesk, nowMs)).toBe(nowMs)
  expect(policy.budgetFreeAtMs(push, asleep, nowMs)).toBe(nowMs + hourMs)
})

test('Live Activity updates above the budget count as priority 5, and priority 5 counts nothing', () => {
  const app = 'dev.example.frequent'
  const policy = new PowerPolicy({
    liveActivityUpdatesPerHour: 1,
    frequentLiveActivityUpdatesPerHour: 2,
    frequentUpdateApps: [app],
  })
  const update = (fields = {}) => message({ pushType: 'liveactivity', ...fields })
  const waits = (fields = {}) => policy.groupDueMs(update(fields), asleep, nowMs) - nowMs
  policy.spend(update({ priority: 5 }), asleep, nowMs)
  expect(waits()).toBe(0)
  policy.spend(update(), asleep, nowMs)
  expect(waits()).toBe(groupMs)
  policy.spend(update({ app }), asleep, nowMs)
  expect(waits({ app })).toBe(0)
  policy.spend(update({ app }), asleep, nowMs)
  expect(waits({ app })).toBe(groupMs)
  expect(policy.groupDueMs(update(), { ...asleep, isScreenOn: true }, nowMs)).toBe(nowMs)
})
