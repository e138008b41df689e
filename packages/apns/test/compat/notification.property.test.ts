import original from '@parse/node-apn'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import compat from '../../src/compat/node-apn/index.ts'

/** Every property and every chained setter that a notification of the original has. */
const prototype = original.Notification.prototype as unknown as Record<string, unknown>
const names = Object.getOwnPropertyNames(prototype)
const settable = names.filter((name) => Object.getOwnPropertyDescriptor(prototype, name)?.set !== undefined)
// A payload that is no object makes some methods throw here, where strict mode holds.
const chained = names.filter((name) => /^set[A-Z]/.test(name) && name !== 'setPayload')
const fields = ['topic', 'id', 'collapseId', 'requestId', 'channelId', 'expiry', 'priority', 'pushType']

test('there are some', () => {
  expect(settable.length).toBeGreaterThan(30)
  expect(chained.length).toBeGreaterThan(30)
})

const value = fc.oneof(
  fc.constantFrom(undefined, true, false, 0, 1, 1.5, -1, 10, 'text', 'é', ''),
  fc.constantFrom<object>([], ['a'], { body: 'b' }, { name: 'n', critical: 1, volume: 0.5 }, { name: 'n' }),
)
const step = fc.oneof(
  fc.record({ how: fc.constant('set'), name: fc.constantFrom(...settable, ...fields, 'rawPayload'), value }),
  fc.record({ how: fc.constant('call'), name: fc.constantFrom(...chained), value }),
  fc.record({ how: fc.constant('aps'), name: fc.constantFrom('alert', 'own'), value }),
  fc.record({ how: fc.constant('do'), name: fc.constantFrom('compile', 'length', 'headers'), value }),
  fc.record({
    how: fc.constant('do'),
    name: fc.constantFrom('removeNonChannelRelatedProperties', 'addPushTypeToPayloadIfNeeded'),
    value,
  }),
)

type Loose = Record<string, unknown> & { aps: Record<string, unknown> }
type Method = (this: Loose, ...args: unknown[]) => unknown

/** What a program hears of a notification while it works on it; an exception as its kind. */
function run(apn: typeof original, first: object | undefined, steps: readonly Step[]): unknown[] {
  const heard: unknown[] = []
  const notification = new apn.Notification(structuredClone(first)) as unknown as Loose
  const tell = (act: () => unknown) => {
    try {
      const said = act()
      heard.push(said === notification ? 'itself' : structuredClone(said))
    } catch (error) {
      heard.push((error as Error).name)
    }
  }
  for (const { how, name, value } of steps) {
    const own = structuredClone(value)
    tell(() => {
      if (how === 'set') notification[name] = own
      else if (how === 'aps') notification.aps[name] = own
      else return (notification[name] as Method).call(notification, ...(how === 'call' ? [own] : []))
      return notification.body
    })
  }
  for (const last of ['headers', 'compile', 'length'])
    tell(() => (notification[last] as Method).call(notification))
  return [...heard, Object.keys(notification)]
}

type Step = { how: string; name: string; value: unknown }

test('a notification is the same as that of the original, whatever a program does with it', () => {
  const objects = fc.record(
    { payload: fc.constant({ a: 1 }), aps: fc.constant({ b: 2 }) },
    { requiredKeys: [] },
  )
  const first = fc.option(
    fc.tuple(fc.dictionary(fc.constantFrom(...settable, ...fields), value), objects).map((all) => ({
      ...all[1],
      ...all[0],
    })),
    { nil: undefined },
  )
  fc.assert(
    fc.property(first, fc.array(step, { maxLength: 12 }), (payload, steps) => {
      expect(run(compat, payload, steps)).toEqual(run(original, payload, steps))
    }),
    { numRuns: 2000 },
  )
})

test.each<[string | Buffer]>([['<ab cd 01>'], ['AB-cd'], [Buffer.from([1, 255])], ['xyz'], ['']])(
  'token(%o)',
  (input) => {
    const said = ({ token }: typeof original) => {
      try {
        return token(input)
      } catch (error) {
        return (error as Error).message
      }
    }
    expect(said(compat)).toBe(said(original))
  },
)
