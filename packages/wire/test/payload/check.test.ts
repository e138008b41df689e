import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { alertKeys, apsKeys, checkPayload, type PushType, pushTypes, soundKeys } from '../../src/index.ts'

const goodPayloads: readonly [PushType, object][] = [
  ['alert', { aps: { alert: 'Hi' } }],
  [
    'alert',
    {
      aps: {
        alert: { title: 'a', body: 'b', 'loc-key': 'k', 'loc-args': ['x'] },
        badge: 0,
        sound: 'default',
      },
      own: [1],
    },
  ],
  [
    'alert',
    { aps: { alert: 'x', sound: { critical: 1, name: 'a', volume: 0.5 }, 'interruption-level': 'critical' } },
  ],
  [
    'alert',
    { aps: { alert: 'x', 'mutable-content': 1, 'relevance-score': 1, category: 'c', 'thread-id': 't' } },
  ],
  ['background', { aps: { 'content-available': 1 }, id: 7 }],
  ['voip', { aps: {}, call: 'x' }],
  ['mdm', { mdm: 'magic' }],
  ['widgets', { aps: { 'content-changed': true } }],
  ['controls', { aps: { 'content-changed': true } }],
  [
    'liveactivity',
    {
      aps: {
        timestamp: 1_700_000_000,
        event: 'update',
        'content-state': { score: 1 },
        'relevance-score': 75,
      },
    },
  ],
  ['liveactivity', { aps: { timestamp: 1_700_000_000, event: 'end', 'dismissal-date': 1_700_000_100 } }],
  [
    'liveactivity',
    {
      aps: {
        timestamp: 1_700_000_000,
        event: 'start',
        'content-state': {},
        'attributes-type': 'Game',
        attributes: {},
        alert: { title: { 'loc-key': 'x' }, body: 'y', sound: 's' },
        'input-push-channel': 'AAECAwQFBgcICQoLDA0ODw==',
      },
    },
  ],
]

const badPayloads: readonly [PushType, unknown, string, RegExp][] = [
  ['alert', '', '', /is empty/],
  ['alert', '{"aps":', '', /not JSON/],
  ['alert', '{"aps":{},}', '', /not JSON: .*position 10/],
  ['alert', '[1]', '', /an array; it must be a JSON object/],
  ['alert', '"x"', '', /the text "x"; it must be a JSON object/],
  ['alert', '\ufeff{}', '', /byte order mark/],
  ['alert', Uint8Array.of(0x7b, 0x22, 0xff), '', /not valid UTF-8/],
  ['alert', `${'['.repeat(600)}`, '', /nests more than 512/],
  ['alert', { aps: { alert: 'x'.repeat(4096) } }, '', /4116 bytes; alert takes at most 4096/],
  ['alert', {}, 'aps', /no aps object/],
  ['alert', { aps: [] }, 'aps', /aps is an array/],
  ['alert', { aps: { badge: '1' } }, 'aps.badge', /is the text "1"; it must be a whole number/],
  ['alert', { aps: { badge: -1 } }, 'aps.badge', /the number -1/],
  ['alert', { aps: { badge: 1.5 } }, 'aps.badge', /whole number/],
  ['alert', { aps: { alert: 5 } }, 'aps.alert', /a text or an object/],
  [
    'alert',
    { aps: { alert: { 'loc-key': 'k', 'loc-args': ['a', 1] } } },
    'aps.alert.loc-args',
    /array of texts/,
  ],
  ['alert', { aps: { alert: { title: 'x', 'loc-args': ['a'] } } }, 'aps.alert.loc-args', /no loc-key/],
  ['alert', { aps: { alert: 'x', sound: { volume: 2 } } }, 'aps.sound.volume', /from 0 to 1/],
  [
    'alert',
    { aps: { alert: 'x', 'interruption-level': 'urgent' } },
    'aps.interruption-level',
    /passive, active/,
  ],
  ['alert', { aps: { alert: 'x', 'relevance-score': 2 } }, 'aps.relevance-score', /from 0 to 1/],
  ['alert', { aps: { alert: 'x', event: 'update' } }, 'aps.event', /means nothing in a push of type alert/],
  ['alert', { aps: { 'content-available': 1 } }, 'aps', /shows nothing/],
  ['alert', { aps: { 'mutable-content': 1, badge: 1 } }, 'aps.mutable-content', /extension does not run/],
  ['alert', { alert: 'x', aps: {} }, 'alert', /stands beside aps/],
  ['background', { aps: {} }, 'aps.content-available', /wakes the app only/],
  ['background', { aps: { 'content-available': 1, alert: 'x' } }, 'aps.alert', /must not hold alert/],
  ['background', { aps: { 'content-available': '1' } }, 'aps.content-available', /the text "1"/],
  ['mdm', { aps: {} }, 'mdm', /PushMagic/],
  ['widgets', { aps: {} }, 'aps.content-changed', /reloads nothing/],
  ['controls', { aps: {} }, 'aps.content-changed', /reloads nothing/],
  ['liveactivity', { aps: { event: 'update', 'content-state': {} } }, 'aps.timestamp', /needs aps.timestamp/],
  [
    'liveactivity',
    { aps: { timestamp: 1, event: 'start', 'content-state': {} } },
    'aps.attributes',
    /starts one needs/,
  ],
  [
    'liveactivity',
    { aps: { timestamp: 1_700_000_000_000, event: 'end' } },
    'aps.timestamp',
    /not milliseconds/,
  ],
  [
    'liveactivity',
    { aps: { timestamp: 1, event: 'stop', 'content-state': {} } },
    'aps.event',
    /start, update, end/,
  ],
]

const hints: readonly [string, string][] = [
  ['contentAvailable', 'content-available'],
  ['content_available', 'content-available'],
  ['mutable-contnet', 'mutable-content'],
  ['alrt', 'alert'],
  ['allert', 'alert'],
  ['bagde', 'badge'],
  ['Sound', 'sound'],
  ['body', 'Move it into aps.alert'],
  ['customer', 'beside aps'],
]

describe('checkPayload', () => {
  test.each(goodPayloads)('finds nothing wrong with %s %j', (pushType, payload) => {
    expect(checkPayload(payload, pushType)).toEqual([])
    expect(checkPayload(JSON.stringify(payload), pushType)).toEqual([])
    expect(checkPayload(new TextEncoder().encode(JSON.stringify(payload)), pushType)).toEqual([])
  })

  test.each(badPayloads)('%s %j: %s', (pushType, payload, path, message) => {
    const problems = checkPayload(payload as object, pushType)
    const problem = problems.find((candidate) => candidate.path === path && message.test(candidate.message))
    expect(problems).toContain(problem)
  })

  test.each(hints)('aps.%s: %s', (key, hint) => {
    const [problem] = checkPayload({ aps: { alert: 'x', [key]: 'x' } }, 'alert')
    expect(problem).toMatchObject({ path: `aps.${key}`, severity: 'warning' })
    expect(problem!.fix).toContain(hint)
  })

  it('measures a broadcast by its own limit and lets it start nothing', () => {
    const aps = { timestamp: 1, event: 'update', 'content-state': { x: 'x'.repeat(5000) } }
    expect(checkPayload({ aps }, 'liveactivity')).toHaveLength(1)
    expect(checkPayload({ aps }, 'liveactivity', { broadcast: true })).toEqual([])
    const [problem] = checkPayload(
      { aps: { ...aps, event: 'end', alert: 'x'.repeat(5120) } },
      'liveactivity',
      { broadcast: true },
    )
    expect(problem!.message).toContain('a broadcast takes at most 5120')
    const start = {
      timestamp: 1,
      event: 'start',
      'content-state': {},
      alert: 'x',
      'attributes-type': 'x',
      attributes: {},
    }
    expect(checkPayload({ aps: start }, 'liveactivity')).toEqual([])
    expect(checkPayload({ aps: start }, 'liveactivity', { broadcast: true })).toMatchObject([
      { path: 'aps.event' },
    ])
  })

  it('explains values that JSON cannot hold', () => {
    const cyclic: Record<string, unknown> = {}
    cyclic.self = cyclic
    expect(checkPayload(cyclic, 'alert')[0]!.message).toContain('cannot be written as JSON')
    expect(checkPayload({ aps: { badge: 1n } }, 'alert')[0]!.message).toContain('cannot be written as JSON')
    expect(checkPayload(() => 1, 'alert')[0]!.message).toContain('must be a JSON object')
  })

  it('never throws, and every problem is two whole sentences', () => {
    const key = fc.constantFrom(
      ...Object.keys(apsKeys),
      ...Object.keys(alertKeys),
      ...Object.keys(soundKeys),
      'aps',
      'x',
    )
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof({ depthSize: 'small' }, fc.jsonValue(), fc.dictionary(key, tie('tree'))),
    }))
    const pushType = fc.constantFrom(...(Object.keys(pushTypes) as PushType[]))
    const payload = fc.oneof(
      fc.dictionary(key, tree),
      tree.map((aps) => ({ aps })),
      fc.string(),
      fc.uint8Array(),
    )
    fc.assert(
      fc.property(payload, pushType, fc.boolean(), (value, type, broadcast) => {
        for (const { message, fix } of checkPayload(value, type, { broadcast })) {
          expect(message.length).toBeGreaterThan(10)
          expect(fix).toMatch(/\.$|…$|\}$/)
        }
      }),
      { numRuns: 2000 },
    )
  })
})
