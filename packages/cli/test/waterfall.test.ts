import { expect, test } from 'vitest'
import { type ToldEvent, waterfall } from '../src/waterfall.ts'

const beginMs = Date.UTC(2026, 0, 31, 12)
const eventAt = (afterMs: number, stage: string, more: Partial<ToldEvent> = {}): ToldEvent => ({
  at: new Date(beginMs + afterMs).toISOString(),
  stage,
  ...more,
})

test('a line for each event, with its time and its place on the time line', () => {
  const text = waterfall('sandbox', {
    apnsId: '123e4567-e89b-12d3-a456-426655440000',
    uniqueId: 'ffffffff-e89b-12d3-a456-426655440000',
    token: 'ab',
    topic: 'com.example.app',
    pushType: 'alert',
    priority: 10,
    state: 'opened',
    events: [
      eventAt(0, 'received'),
      eventAt(1, 'stored', { why: 'offline' }),
      eventAt(5500, 'sent', { fromStorage: true }),
      eventAt(5520, 'acknowledged', { status: 0 }),
      eventAt(11_000, 'opened'),
    ],
  })
  expect(text.split('\n')).toEqual([
    '123e4567-e89b-12d3-a456-426655440000 (sandbox): opened',
    '  unique id  ffffffff-e89b-12d3-a456-426655440000',
    '  token      ab',
    '  topic      com.example.app, alert, priority 10',
    '  begin      2026-01-31T12:00:00.000Z',
    '        +0 ms  ●·······················  received from the provider',
    '        +1 ms  ●·······················  stored: the device is not connected',
    '      +5.50 s  ············●···········  sent to the device, from storage',
    '      +5.52 s  ············●···········  taken by the device',
    '     +11.00 s  ·······················●  opened by the user',
  ])
})

test('a broadcast names its channel, and how many devices it was handed to', () => {
  const text = waterfall('sandbox', {
    ...{ apnsId: 'id', channel: 'AAECAwQFBgcICQoLDA0ODw==', topic: 'com.example.app', state: 'sent' },
    events: [eventAt(0, 'received'), eventAt(1, 'stored', { why: 'channel' })],
  })
  expect(text).toContain('\n  channel    AAECAwQFBgcICQoLDA0ODw==\n')
  expect(text).not.toContain('token')
})

test.each([
  [eventAt(0, 'stored', { why: 'channel' }), 'stored: the channel keeps it for devices that come later'],
  [eventAt(0, 'sent', { devices: 0 }), 'sent to no device: none that listens is connected'],
  [eventAt(0, 'sent', { devices: 1 }), 'sent to one device'],
  [eventAt(0, 'sent', { devices: 20_000 }), 'sent to 20000 devices'],
  [eventAt(0, 'rejected', { reason: 'BadDeviceToken' }), 'rejected: BadDeviceToken'],
  [eventAt(0, 'replaced', { by: 'newer' }), 'replaced by newer'],
  [eventAt(0, 'expired'), 'expired while it was stored'],
  [eventAt(0, 'discarded', { why: 'unregistered' }), 'discarded: no app takes this token any more'],
  [eventAt(0, 'acknowledged', { status: 2 }), 'not taken by the device (status 2)'],
  [eventAt(0, 'stored', { why: 'of a newer service' }), 'stored: of a newer service'],
  [eventAt(0, 'teleported'), 'teleported'],
])('%j is told as "%s"', (event, sentence) => {
  const text = waterfall('production', { apnsId: 'id', state: event.stage, events: [event] })
  expect(text.split('\n').at(-1)).toContain(`  ${sentence}`)
})

test.each([
  [90_000, '+1.5 min'],
  [7_200_000, '+2.0 h'],
  [864_000_000, '+10.0 days'],
])('%i ms are told as %s', (afterMs, told) => {
  const events = [eventAt(0, 'received'), eventAt(afterMs, 'expired')]
  expect(waterfall('sandbox', { apnsId: 'id', state: 'expired', events })).toContain(told)
})
