import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import {
  type AppState,
  fillFormat,
  type Payload,
  type PresentationContext,
  presentationOf,
} from '../../src/index.ts'

const away: PresentationContext = { appState: 'background' }

describe('presentationOf, app in the background', () => {
  it('shows the whole of an alert', () => {
    const payload: Payload = {
      aps: {
        alert: { title: 'Game', subtitle: 'Five card draw', body: 'Your turn' },
        badge: 3,
        sound: 'chime.caf',
        'thread-id': 't',
        category: 'INVITE',
        'relevance-score': 0.5,
        'interruption-level': 'time-sensitive',
        'mutable-content': 1,
      },
    }
    expect(presentationOf(payload, away)).toEqual({
      kind: 'banner',
      wakesApp: false,
      title: 'Game',
      subtitle: 'Five card draw',
      body: 'Your turn',
      badge: 3,
      sound: { name: 'chime.caf', critical: false, volume: undefined },
      threadId: 't',
      category: 'INVITE',
      interruptionLevel: 'time-sensitive',
      relevanceScore: 0.5,
      contentAvailable: false,
      mutableContent: true,
    })
  })

  test.each<[string, Payload, object]>([
    [
      'a text alert',
      { aps: { alert: 'Hi' } },
      { kind: 'banner', title: undefined, body: 'Hi', interruptionLevel: 'active' },
    ],
    ['a badge alone', { aps: { badge: 0 } }, { kind: 'effect', badge: 0, wakesApp: false }],
    [
      'a sound alone',
      { aps: { sound: 'default' } },
      { kind: 'effect', sound: { name: 'default', critical: false, volume: undefined } },
    ],
    [
      'content-available alone',
      { aps: { 'content-available': 1 } },
      { kind: 'silent', wakesApp: true, contentAvailable: true },
    ],
    [
      'content-available with empty sound',
      { aps: { 'content-available': 1, sound: '' } },
      { kind: 'silent', sound: undefined },
    ],
    [
      'content-available with an alert',
      { aps: { 'content-available': 1, alert: 'x' } },
      { kind: 'banner', wakesApp: true },
    ],
    ['no aps', { x: 1 }, { kind: 'none', wakesApp: false }],
    ['an empty alert', { aps: { alert: {} } }, { kind: 'none' }],
    [
      'a passive alert',
      { aps: { alert: 'x', sound: 'default', 'interruption-level': 'passive' } },
      { kind: 'list', sound: undefined },
    ],
    [
      'mutable-content without an alert',
      { aps: { 'mutable-content': 1, badge: 1 } },
      { mutableContent: false },
    ],
    [
      'a critical sound',
      { aps: { alert: 'x', sound: { critical: 1, volume: 2 } } },
      { sound: { name: 'default', critical: true, volume: 1 } },
    ],
    [
      'a sound object that is not critical',
      { aps: { alert: 'x', sound: { name: 'a', volume: 0.5 } } },
      { sound: { name: 'a', critical: false, volume: undefined } },
    ],
    [
      'a live activity',
      { aps: { event: 'update', timestamp: 1, 'content-state': {} } },
      { kind: 'activity', wakesApp: false },
    ],
    [
      'a live activity with an alert',
      {
        aps: {
          event: 'update',
          alert: { title: { 'loc-key': '%@ leads', 'loc-args': ['Ann'] }, body: 'x', sound: 's' },
        },
      },
      {
        kind: 'activity',
        title: 'Ann leads',
        body: 'x',
        sound: { name: 's', critical: false, volume: undefined },
      },
    ],
  ])('%s', (_, payload, expected) => {
    expect(presentationOf(payload, away)).toMatchObject(expected)
  })

  it('wakes nothing that the user closed', () => {
    const payload = { aps: { 'content-available': 1 } } as const
    expect(presentationOf(payload, { appState: 'terminated' })).toMatchObject({
      kind: 'silent',
      wakesApp: true,
    })
    expect(presentationOf(payload, { appState: 'terminated', wasForceQuit: true })).toMatchObject({
      kind: 'none',
      wakesApp: false,
      contentAvailable: true,
    })
  })

  it('shows nothing where the user switched notifications off, and still wakes the app', () => {
    const payload = { aps: { alert: 'x', badge: 1, sound: 'default', 'content-available': 1 } } as const
    expect(presentationOf(payload, { ...away, allowsAlerts: false })).toMatchObject({
      kind: 'silent',
      wakesApp: true,
      body: undefined,
      badge: undefined,
      sound: undefined,
    })
  })
})

describe('presentationOf, app in the foreground', () => {
  const payload = { aps: { alert: 'x', badge: 1, sound: 'default' } } as const

  it('hands the notification to the app and shows nothing by itself', () => {
    expect(presentationOf(payload, { appState: 'foreground' })).toMatchObject({
      kind: 'app',
      wakesApp: true,
      body: undefined,
      badge: undefined,
      sound: undefined,
    })
  })

  it('shows what the app asks for', () => {
    const asking = (foreground: PresentationContext['foreground'] & {}) =>
      presentationOf(payload, { appState: 'foreground', foreground })
    expect(asking({ banner: true })).toMatchObject({
      kind: 'banner',
      body: 'x',
      badge: undefined,
      sound: undefined,
    })
    expect(asking({ sound: true })).toMatchObject({
      kind: 'effect',
      body: undefined,
      sound: { name: 'default' },
    })
    expect(asking({ banner: true, sound: true, badge: true })).toMatchObject({ kind: 'banner', badge: 1 })
  })
})

describe('localised texts', () => {
  const alert = { 'loc-key': 'GAME_%@_%@', 'loc-args': ['Jenna', 'Frank'] }

  it('fills the key itself where there are no strings', () => {
    expect(presentationOf({ aps: { alert } }, away).body).toBe('GAME_Jenna_Frank')
  })

  it('looks the key up in the strings of the app', () => {
    const strings = { 'GAME_%@_%@': '%2$@ invited by %1$@, 100%%' }
    expect(presentationOf({ aps: { alert } }, { ...away, strings }).body).toBe('Frank invited by Jenna, 100%')
  })

  it('prefers a plain text to a key without a string', () => {
    expect(presentationOf({ aps: { alert: { ...alert, body: 'Plain' } } }, away).body).toBe('Plain')
    const strings = { 'GAME_%@_%@': 'Found' }
    expect(presentationOf({ aps: { alert: { ...alert, body: 'Plain' } } }, { ...away, strings }).body).toBe(
      'Found',
    )
  })

  it('has keys for title and subtitle', () => {
    const aps = {
      alert: {
        'title-loc-key': 'T %@',
        'title-loc-args': ['1'],
        'subtitle-loc-key': 'S %@',
        'subtitle-loc-args': ['2'],
      },
    }
    expect(presentationOf({ aps }, away)).toMatchObject({ title: 'T 1', subtitle: 'S 2', kind: 'banner' })
  })

  test.each<[string, unknown, string]>([
    ['%@ and %@', ['a'], 'a and '],
    ['%@', undefined, ''],
    ['%@', [null], ''],
    ['%@', [5], '5'],
    ['%@', [{ toString: 1 }], ''],
    ['%@', [Object.create(null)], ''],
    ['100% %d %', ['a'], '100% %d %'],
    ['%1$@%1$@%@', ['a', 'b'], 'aaa'],
    ['%9$@|%0$@', ['a'], '|'],
    ['%@', ['%@'], '%@'],
  ])('fills %j with %j', (format, args, text) => {
    expect(fillFormat(format, args)).toBe(text)
  })
})

describe('presentationOf on anything', () => {
  it('never throws, and its parts agree', () => {
    const key = fc.constantFrom(
      'alert',
      'badge',
      'sound',
      'title',
      'subtitle',
      'body',
      'loc-key',
      'loc-args',
      'title-loc-key',
      'event',
      'content-available',
      'mutable-content',
      'interruption-level',
      'critical',
      'volume',
      'name',
      'thread-id',
    )
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom(1, 0, 'x', '%@', '', null, true),
        fc.dictionary(key, tie('tree')),
        fc.array(tie('tree'), { maxLength: 2 }),
      ),
    }))
    const state = fc.constantFrom<AppState>('foreground', 'background', 'terminated')
    fc.assert(
      fc.property(tree, state, fc.boolean(), (aps, appState, allowsAlerts) => {
        const shown = presentationOf({ aps } as Payload, { appState, allowsAlerts })
        const hasText = (shown.title ?? shown.subtitle ?? shown.body) !== undefined
        if (shown.kind === 'banner' || shown.kind === 'list') expect(hasText).toBe(true)
        if (shown.kind === 'silent') expect(shown.wakesApp).toBe(true)
        if (!allowsAlerts) expect(hasText).toBe(false)
        if (appState === 'foreground') expect(shown.kind).not.toBe('banner')
      }),
      { numRuns: 2000 },
    )
  })
})
