import { describe, expect, test } from 'vitest'
import { FaultError } from '../../src/faults/fault-error.ts'
import { concernsConnections } from '../../src/faults/fault-kinds.ts'
import { type FaultRuleInput, faultRule } from '../../src/faults/fault-rule.ts'
import { Faults } from '../../src/faults/faults.ts'
import { limits } from '../../src/limits.ts'
import { TestAuthority } from '../certificates.ts'

const now = () => 1_700_000_000_000
const close: FaultRuleInput = { id: 'cut', fault: { kind: 'close' } }

function refusal(act: () => unknown): FaultError {
  try {
    act()
  } catch (error) {
    if (error instanceof FaultError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('a rule that is none is refused with the name of the field', () => {
  const wrong: [string, unknown, RegExp][] = [
    ['no fault', { id: 'a' }, /^fault: /],
    ['an unknown kind', { id: 'a', fault: { kind: 'fire' } }, /^fault\.kind: /],
    ['an unknown field', { id: 'a', fault: { kind: 'close', how: 'hard' } }, /^fault: .*how/],
    ['an unknown match', { id: 'a', match: { bundle: 'x' }, fault: { kind: 'close' } }, /^match: .*bundle/],
    ['a bad id', { id: 'two words', fault: { kind: 'close' } }, /^id: give up to 64/],
    ['a probability above 1', { ...close, match: { probability: 2 } }, /^match\.probability: /],
    ['half a request', { ...close, match: { after: 1.5 } }, /^match\.after: /],
    ['a token that is no hex', { ...close, match: { token: 'xyz' } }, /^match\.token: give the device token/],
    ['a moment that is none', { ...close, match: { from: 'tomorrow' } }, /^match\.from: /],
    [
      'an unknown reason',
      { id: 'a', fault: { kind: 'answer', reason: 'Sorry' } },
      /^fault\.reason: .*status/,
    ],
    ['an answer of nothing', { id: 'a', fault: { kind: 'answer' } }, /^fault: give a reason/],
    ['a range upside down', { id: 'a', fault: { kind: 'latency', ms: 9, msMax: 8 } }, /^fault\.msMax: /],
    ['half a certificate', { id: 'a', fault: { kind: 'expiredCertificate', certPem: 'x' } }, /^fault: give/],
    ['a kind that the place does not have', { ...close, where: 'smtp' }, /^where: /],
    [
      'GOAWAY to a device',
      { id: 'a', where: 'courier', fault: { kind: 'goaway' } },
      /^where: goaway is for http2/,
    ],
    [
      'the app of a device connection',
      { id: 'a', where: 'courier', match: { app: 'x' }, fault: { kind: 'close' } },
      /^match\.app: a connection does not tell/,
    ],
    [
      'settings by topic',
      { id: 'a', match: { topic: 'x' }, fault: { kind: 'settings', initialWindowSize: 1 } },
      /^match\.topic: a connection does not tell/,
    ],
    [
      'requests of a device connection',
      { id: 'a', where: 'courier', match: { perConnection: true, after: 1 }, fault: { kind: 'close' } },
      /^match\.perConnection: a connection does not tell/,
    ],
    [
      'a device connection that is cut after accepting',
      { id: 'a', where: 'courier', fault: { kind: 'close', when: 'afterAccepting' } },
      /^fault\.when: /,
    ],
    [
      'the team of a push certificate',
      { id: 'a', where: 'binary', match: { teamId: 'ABCDE12345' }, fault: { kind: 'close' } },
      /^match\.teamId: .*no provider token/,
    ],
    ...(['teamId', 'keyId', 'clientAddress', 'connection', 'perConnection'] as const).map(
      (field): [string, unknown, RegExp] => {
        const values = { teamId: 'ABCDE12345', keyId: 'ABCDE12345', clientAddress: '::1', connection: 1 }
        const match = { [field]: { ...values, perConnection: true }[field] }
        const fault = { kind: 'tokenInvalid', at: 0 }
        return [`an invalid token by ${field}`, { id: 'a', match, fault }, new RegExp(`^match\\.${field}: `)]
      },
    ),
    [
      'the second of one connection',
      { ...close, match: { connection: 3, after: 1 } },
      /^match\.after: there is one connection/,
    ],
    ['a time that ends before it begins', { ...close, match: { from: 5, until: 5 } }, /^match\.until: /],
    ['settings of nothing', { id: 'a', fault: { kind: 'settings' } }, /^fault: give at least one/],
    [
      'an HTTP status in an error packet',
      { id: 'a', where: 'binary', fault: { kind: 'answer', reason: 'shutdown', status: 503 } },
      /^fault\.status: an error packet/,
    ],
    [
      'a header that is none',
      { id: 'a', fault: { kind: 'answer', reason: 'Shutdown', retryAfter: '1\r\nx: y' } },
      /^fault\.retryAfter: /,
    ],
    [
      'a certificate that is none',
      { id: 'a', fault: { kind: 'expiredCertificate', certPem: 'x', keyPem: 'y' } },
      /^The certificate of the rule "a" cannot be used/,
    ],
  ]
  test.each(wrong)('%s', (_what, rule, message) => {
    const error = refusal(() => new Faults({ now }).add(rule as FaultRuleInput))
    expect(error).toMatchObject({ code: 'FAULT_INVALID', message: expect.stringMatching(message) })
    expect(error.fix).toMatch(/docs\/faults\.md|PEM/)
  })

  test('in a plan, with its place there; and what was in force stays', () => {
    const faults = new Faults({ now, plan: { rules: [close] } })
    const second = { id: 'b', fault: { kind: 'latency', ms: -1 } } as const
    expect(refusal(() => faults.set({ rules: [close, second] })).message).toMatch(/^rules\.1\.fault\.ms: /)
    expect(refusal(() => faults.set({ rules: [close, close] })).message).toMatch(/^rules\.1\.id: another/)
    expect(faults.list().map(({ id }) => id)).toEqual(['cut'])
  })

  test('an expired certificate that nobody has', () => {
    const rule: FaultRuleInput = { id: 'old', fault: { kind: 'expiredCertificate' } }
    expect(refusal(() => new Faults({ now }).add(rule))).toMatchObject({
      code: 'FAULT_INVALID',
      fix: 'Give certPem and keyPem of an expired certificate.',
    })
    const expiredTls = { certPem: 'c', keyPem: 'k' }
    expect(new Faults({ now, expiredTls }).add(rule)).toMatchObject({ id: 'old' })
  })
})

test('defaults are filled in, moments and tokens read', () => {
  const faults = new Faults({ now })
  const match = { from: '2026-01-02T03:04:05+01:00', token: 'ABCD' }
  expect(faults.add({ id: 'a', match, fault: { kind: 'goaway' } })).toEqual({
    id: 'a',
    where: 'http2',
    match: { from: Date.UTC(2026, 0, 2, 2, 4, 5), token: 'abcd' },
    fault: { kind: 'goaway', code: 'NO_ERROR', finishes: true },
    counters: { seen: 0, hits: 0 },
  })
})

test('rules are added, found, removed and cleared; without one there is no plan', () => {
  const faults = new Faults({ now })
  expect(faults.plan).toBeUndefined()
  faults.add(close)
  faults.add({ ...close, id: 'other' })
  expect(refusal(() => faults.add(close)).code).toBe('FAULT_EXISTS')
  expect(faults.get('other').id).toBe('other')
  faults.remove('cut')
  expect(refusal(() => faults.remove('cut')).code).toBe('FAULT_UNKNOWN')
  expect(refusal(() => faults.get('cut')).code).toBe('FAULT_UNKNOWN')
  faults.remove('other')
  expect(faults.plan).toBeUndefined()
  for (let index = 0; index < limits.faultRulesMax; index++) faults.add({ ...close, id: `r${index}` })
  expect(refusal(() => faults.add(close)).code).toBe('FAULT_LIMIT')
  faults.clear()
  expect(faults.list()).toEqual([])
  expect(faults.plan).toBeUndefined()
})

test('a private key does not come out again', async () => {
  const faults = new Faults({ now })
  const { certPem, keyPem } = await (await TestAuthority.make(now())).server()
  faults.add({ id: 'old', fault: { kind: 'expiredCertificate', certPem, keyPem } })
  expect(JSON.stringify(faults.list())).not.toContain('PRIVATE KEY')
})

test.each([
  ['0:0:0:0:0:0:0:1', '::1'],
  ['FE80::A', 'fe80::a'],
  ['::ffff:127.0.0.1', '127.0.0.1'],
  ['10.0.0.1', '10.0.0.1'],
])('the address %s is compared as %s, as the system writes it', (clientAddress, written) => {
  const { match } = new Faults({ now }).add({ ...close, match: { clientAddress } })
  expect(match.clientAddress).toBe(written)
})

describe('which rules look at connections', () => {
  const rules: [FaultRuleInput, boolean][] = [
    [close, true],
    [{ ...close, match: { clientAddress: '127.0.0.1', after: 1, every: 2, times: 3 } }, true],
    [{ ...close, match: { app: 'com.example.app' } }, false],
    [{ ...close, match: { after: 5, perConnection: true } }, false],
    [{ id: 'a', fault: { kind: 'close', when: 'afterAccepting' } }, false],
    [{ id: 'a', fault: { kind: 'latency', ms: 1 } }, false],
    [{ id: 'a', where: 'courier', fault: { kind: 'latency', ms: 1 } }, true],
    [{ id: 'a', fault: { kind: 'slowReader', bytesPerSecond: 1 } }, true],
    [{ id: 'a', fault: { kind: 'settings', headerTableSize: 0 } }, true],
    [{ id: 'a', fault: { kind: 'goaway' } }, false],
  ]
  test.each(rules)('%j: %s', (rule, expected) => {
    expect(concernsConnections(faultRule.parse(rule))).toBe(expected)
  })
})
