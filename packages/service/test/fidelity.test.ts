import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type Fidelity, fidelityDefaults, fidelityOf } from '../src/fidelity.ts'
import { ServiceError } from '../src/service-error.ts'

test('what is not given has its default', () => {
  expect(fidelityOf()).toEqual(fidelityDefaults)
  expect(fidelityOf({ retryAfterSeconds: 30, tokenUpdateScope: 'key' })).toEqual({
    ...fidelityDefaults,
    retryAfterSeconds: 30,
    tokenUpdateScope: 'key',
  })
})

test('the defaults are allowed values themselves', () => {
  expect(fidelityOf(fidelityDefaults)).toEqual(fidelityDefaults)
})

test.each<[string, Record<string, unknown>, string]>([
  [
    'a number out of its range',
    { streamsBeforeToken: 0 },
    'fidelity.streamsBeforeToken is 0. Give a whole number from 1 to 1000.',
  ],
  [
    'a fraction',
    { goawayAfterBadTokens: 1.5 },
    'fidelity.goawayAfterBadTokens is 1.5. Give a whole number from 0 to 1000000.',
  ],
  [
    'a number as text',
    { retryAfterSeconds: '5' },
    'fidelity.retryAfterSeconds is "5". Give a whole number from 0 to 86400.',
  ],
  [
    'a word for a yes or no',
    { oneStreamAfterRejection: 'yes' },
    'fidelity.oneStreamAfterRejection is "yes". Give true or false.',
  ],
  [
    'an unknown word',
    { reasonSpellings: 'apple' },
    'fidelity.reasonSpellings is "apple". Give one of observed, documented.',
  ],
  ['an unknown switch', { streams: 1 }, 'fidelity.streams is no switch. The switches are'],
  [
    'bounds the wrong way round',
    { unregisteredDelaySecondsMin: 60 },
    'fidelity.unregisteredDelaySecondsMin is above fidelity.unregisteredDelaySecondsMax',
  ],
])('refused with the name of the switch and what it may be: %s', (_name, given, message) => {
  const refused = (): unknown => {
    try {
      return fidelityOf(given as Partial<Fidelity>)
    } catch (error) {
      return error
    }
  }
  const error = refused()
  expect(error).toBeInstanceOf(ServiceError)
  expect(`${(error as ServiceError).message} ${(error as ServiceError).fix}`).toContain(message)
})

test('docs/fidelity.md has a row for each switch, and names no other', () => {
  const text = readFileSync(new URL('../../../docs/fidelity.md', import.meta.url), 'utf8')
  const named = new Set(Array.from(text.matchAll(/`fidelity\.(\w+)`/g), ([, name]) => name!))
  expect([...named].sort()).toEqual(Object.keys(fidelityDefaults).sort())
})
