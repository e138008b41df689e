import { pushTypes } from '@carillon/wire'
import { describe, expect, test } from 'vitest'
import {
  alert,
  background,
  broadcastActivity,
  complication,
  controls,
  explainPayload,
  fileProvider,
  liveActivity,
  location,
  mdm,
  pushToTalk,
  raw,
  voip,
  widgets,
} from '../../src/index.ts'
import { argumentErrorOf } from '../support/argument-error.ts'

const bundleId = 'com.example.app'
const at = new Date(1_800_000_000_900)
const timestamp = 1_800_000_000
const state = { contentState: { score: 3 }, timestamp: at }
const shown = { title: 'Goal', body: '3:0' }
const start = { ...state, attributesType: 'Match', attributes: { home: 'A' }, alert: shown }

test.each([
  ['alert', alert({ bundleId, body: 'Hello' }), '', 10, { aps: { alert: { body: 'Hello' } } }],
  ['background', background({ bundleId }), '', 5, { aps: { 'content-available': 1 } }],
  ['voip', voip({ bundleId, data: { call: 'x' } }), '.voip', 10, { aps: {}, call: 'x' }],
  ['complication', complication({ bundleId }), '.complication', 10, { aps: {} }],
  [
    'fileprovider',
    fileProvider({ bundleId, containerIdentifier: 'root', domain: 'work' }),
    '.pushkit.fileprovider',
    5,
    { 'container-identifier': 'root', domain: 'work' },
  ],
  ['mdm', mdm({ topic: 'com.apple.mgmt.External.1', pushMagic: 'magic' }), undefined, 10, { mdm: 'magic' }],
  ['location', location({ bundleId }), '.location-query', 10, { aps: {} }],
  [
    'liveactivity',
    liveActivity.update({ bundleId, ...state }),
    '.push-type.liveactivity',
    10,
    { aps: { timestamp, event: 'update', 'content-state': { score: 3 } } },
  ],
  ['pushtotalk', pushToTalk({ bundleId, data: { who: 'x' } }), '.voip-ptt', 10, { aps: {}, who: 'x' }],
  ['widgets', widgets({ bundleId }), '.push-type.widgets', 5, { aps: { 'content-changed': true } }],
  ['controls', controls({ bundleId }), '.push-type.controls', 10, { aps: { 'content-changed': true } }],
] as const)('%s: type, topic, priority and payload', (pushType, built, suffix, priority, payload) => {
  const topic = suffix === undefined ? 'com.apple.mgmt.External.1' : bundleId + suffix
  expect(built).toMatchObject({ pushType, topic, priority })
  expect(built.payload).toEqual(payload)
  expect(explainPayload(built).filter(({ severity }) => severity === 'error')).toEqual([])
})

test('there is a builder for each push type of the table', () => {
  const built = [
    alert({ bundleId, badge: 1 }),
    background({ bundleId }),
    voip({ bundleId }),
    complication({ bundleId }),
    fileProvider({ bundleId }),
    mdm({ topic: 'com.apple.mgmt.External.1', pushMagic: 'magic' }),
    liveActivity.start({ bundleId, ...start }),
    location({ bundleId }),
    pushToTalk({ bundleId }),
    controls({ bundleId }),
    widgets({ bundleId }),
  ]
  expect(built.map(({ pushType }) => pushType).sort()).toEqual(Object.keys(pushTypes).sort())
})

test('every option of an alert stands under its key', () => {
  const { payload, ...rest } = alert({
    bundleId,
    title: { locKey: 'TITLE', locArgs: ['a'] },
    subtitle: 'Sub',
    body: { locKey: 'BODY' },
    launchImage: 'launch.png',
    badge: 0,
    sound: { critical: true, name: 'alarm.caf', volume: 0.5 },
    threadId: 'thread',
    category: 'INVITE',
    contentAvailable: true,
    mutableContent: true,
    targetContentId: 'window',
    interruptionLevel: 'time-sensitive',
    relevanceScore: 0.25,
    filterCriteria: 'work',
    priority: 5,
    expiration: 0,
    collapseId: 'one',
    whenAmbiguous: 'resend',
    data: { order: { id: 7 } },
    aps: { 'url-args': ['x'] },
  })
  expect(rest).toEqual({
    topic: bundleId,
    pushType: 'alert',
    priority: 5,
    expiration: 0,
    collapseId: 'one',
    whenAmbiguous: 'resend',
  })
  expect(payload).toEqual({
    aps: {
      alert: {
        'title-loc-key': 'TITLE',
        'title-loc-args': ['a'],
        subtitle: 'Sub',
        'loc-key': 'BODY',
        'launch-image': 'launch.png',
      },
      badge: 0,
      sound: { critical: 1, name: 'alarm.caf', volume: 0.5 },
      'thread-id': 'thread',
      category: 'INVITE',
      'content-available': 1,
      'mutable-content': 1,
      'target-content-id': 'window',
      'interruption-level': 'time-sensitive',
      'relevance-score': 0.25,
      'filter-criteria': 'work',
      'url-args': ['x'],
    },
    order: { id: 7 },
  })
})

describe('Live Activities', () => {
  test('start', () => {
    const built = liveActivity.start({
      bundleId,
      ...start,
      inputPushChannel: 'AAECAwQFBgcICQoLDA0ODw==',
      inputPushToken: true,
      staleDate: at,
      relevanceScore: 75,
    })
    expect(built.payload).toEqual({
      aps: {
        timestamp,
        event: 'start',
        'content-state': { score: 3 },
        'attributes-type': 'Match',
        attributes: { home: 'A' },
        alert: shown,
        'input-push-channel': 'AAECAwQFBgcICQoLDA0ODw==',
        'input-push-token': 1,
        'stale-date': timestamp,
        'relevance-score': 75,
      },
    })
    // A second start would show a second activity; a second update is ordered by its timestamp.
    expect(built.whenAmbiguous).toBe('report')
    expect(liveActivity.update({ bundleId, ...state }).whenAmbiguous).toBe('resend')
  })

  test('end, with texts in the language of the device', () => {
    const alert = { title: { locKey: 'WON', locArgs: ['A'] }, body: 'Over', sound: 'whistle.caf' }
    expect(liveActivity.end({ bundleId, timestamp, alert, dismissalDate: at }).payload).toEqual({
      aps: {
        timestamp,
        event: 'end',
        alert: {
          title: { 'loc-key': 'WON', 'loc-args': ['A'] },
          body: 'Over',
          sound: 'whistle.caf',
        },
        'dismissal-date': timestamp,
      },
    })
  })

  test('broadcasts', () => {
    const channelId = 'AAECAwQFBgcICQoLDA0ODw=='
    const update = broadcastActivity.update({ bundleId, channelId, ...state, priority: 5 })
    expect(update).toMatchObject({ bundleId, channelId, priority: 5 })
    expect(update.payload).toEqual({ aps: { timestamp, event: 'update', 'content-state': { score: 3 } } })
    expect(broadcastActivity.end({ bundleId, channelId, timestamp }).payload).toEqual({
      aps: { timestamp, event: 'end' },
    })
    // Larger than a device push may be, and than a broadcast.
    const of = (length: number) => ({ contentState: { text: 'x'.repeat(length) }, timestamp })
    expect(() => broadcastActivity.update({ bundleId, channelId, ...of(5000) })).not.toThrow()
    expect(() => broadcastActivity.update({ bundleId, channelId, ...of(5200) })).toThrow(/at most 5120/)
    expect(() => liveActivity.update({ bundleId, ...of(5000) })).toThrow(/at most 4096/)
  })
})

describe('what is wrong is explained before sending', () => {
  test('a payload, with every problem and its fix', () => {
    const error = argumentErrorOf(() =>
      alert({ bundleId, badge: '1' as unknown as number, relevanceScore: 3, body: 'x' }),
    )
    expect(error.field).toBe('payload')
    expect(error.message).toMatch(/aps\.badge is the text "1"; it must be a whole number.* \(and 1 more/)
    expect(error.problems.map(({ path }) => path)).toEqual(['aps.badge', 'aps.relevance-score'])
  })

  test('a payload that is too large, by the limit of its type', () => {
    expect(() => alert({ bundleId, body: 'ü'.repeat(2100) })).toThrow(/alert takes at most 4096/)
    expect(() => voip({ bundleId, data: { text: 'x'.repeat(5000) } })).not.toThrow()
    expect(() => voip({ bundleId, data: { text: 'x'.repeat(5120) } })).toThrow(/voip takes at most 5120/)
  })

  test.each([
    ['bundleId', () => alert({ bundleId: '', body: 'x' })],
    ['bundleId', () => alert({ body: 'x' } as never)],
    ['bundleId', () => voip({ bundleId: `${bundleId}.voip` })],
    ['priority', () => background({ bundleId, priority: 10 as never })],
    ['priority', () => liveActivity.update({ bundleId, ...state, priority: 1 as never })],
    ['topic', () => mdm({ topic: '', pushMagic: 'x' })],
    ['payload', () => mdm({ topic: 'com.apple.mgmt.External.1', pushMagic: '' })],
    ['payload', () => background({ bundleId, aps: { alert: 'visible' } })],
    ['payload', () => liveActivity.start({ bundleId, ...start, alert: undefined as never })],
    ['payload', () => liveActivity.update({ bundleId, ...state, timestamp: Date.now() })],
  ])('%s', (field, make) => {
    expect(argumentErrorOf(make)).toMatchObject({ code: 'ERR_APNS_ARGUMENT', field })
  })

  // What is written in JavaScript, or comes out of a database, without a compiler in between.
  const channelId = 'AAECAwQFBgcICQoLDA0ODw=='
  test.each<[field: string, options: Record<string, unknown>]>([
    ['title', { title: 5 }],
    ['title', { title: null }],
    ['body', { body: ['x'] }],
    ['body.locKey', { body: { key: 'HELLO' } }],
    ['sound', { sound: true }],
    ['sound', { sound: null }],
    ['mutableContent', { mutableContent: 1 }],
    ['contentAvailable', { contentAvailable: 'yes' }],
    ['data.aps', { body: 'x', data: { aps: { alert: 'another' } } }],
    ['data', { body: 'x', data: 'text' }],
    ['aps', { body: 'x', aps: 'text' }],
  ])('a %s that would get lost on the way to the device is refused: %o', (field, options) => {
    const error = argumentErrorOf(() => alert({ bundleId, ...options } as never))
    expect(error).toMatchObject({ field })
  })

  test.each<[field: string, make: (given: never) => unknown]>([
    ['alert', (alert) => liveActivity.update({ bundleId, ...state, alert })],
    ['alert.title', (title) => liveActivity.update({ bundleId, ...state, alert: { ...shown, title } })],
    ['alert.body', (body) => liveActivity.start({ bundleId, ...start, alert: { ...shown, body } })],
    ['inputPushToken', (inputPushToken) => liveActivity.start({ bundleId, ...start, inputPushToken })],
    ['data', (data) => fileProvider({ bundleId, data })],
    ['data', (data) => broadcastActivity.end({ bundleId, channelId, timestamp, data })],
    ['options', (options) => liveActivity.end(options)],
    ['options', (options) => alert(options)],
    ['options', (options) => voip(options)],
    ['options', (options) => mdm(options)],
    ['options', (options) => fileProvider(options)],
    ['options', (options) => raw(options)],
  ])('%s of a wrong type elsewhere', (field, make) => {
    expect(argumentErrorOf(() => make(7 as never))).toMatchObject({ field })
  })

  test('warnings are told on request, and stop nothing', () => {
    const silent = alert({ bundleId, contentAvailable: true })
    expect(explainPayload(silent)).toMatchObject([{ path: 'aps', severity: 'warning' }])
  })

  test('raw looks at nothing, and still sets topic and priority', () => {
    const payload = '{"aps":{"badge":"seven"}}'
    expect(raw({ bundleId, pushType: 'voip', payload })).toEqual({
      topic: `${bundleId}.voip`,
      pushType: 'voip',
      priority: 10,
      payload,
    })
    expect(raw({ bundleId, pushType: 'background', payload }).priority).toBe(5)
    expect(explainPayload({ payload })).toMatchObject([{ path: 'aps.badge' }])
  })
})

test('raw: an unknown push type is named, and a priority left undefined is that of the type', () => {
  const own = { bundleId: 'com.example.app', payload: {} }
  expect(() => raw({ ...own, pushType: 'fax' as 'alert' })).toThrow(/^pushType: give one of alert, /)
  expect(raw({ ...own, pushType: 'background', priority: undefined }).priority).toBe(5)
})
