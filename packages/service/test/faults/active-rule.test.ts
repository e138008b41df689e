import { describe, expect, test } from 'vitest'
import { ActiveRule, type FaultFacts } from '../../src/faults/active-rule.ts'
import { type FaultRuleInput, faultRule } from '../../src/faults/fault-rule.ts'
import { seededRandom } from '../../src/faults/seeded-random.ts'

const nowMs = 1_700_000_000_000
const facts: FaultFacts = {
  connection: {},
  connectionNumber: 1,
  clientAddress: '127.0.0.1',
  topic: 'com.example.app',
  token: 'ab'.repeat(32),
  teamId: 'TEAM000001',
  keyId: 'KEY0000001',
}

function active(match: FaultRuleInput['match'], seed = 1, id = 'rule'): ActiveRule {
  const rule = faultRule.parse({ id, match, fault: { kind: 'answer', reason: 'Shutdown' } })
  return new ActiveRule(rule, seed, 0)
}

/** Which of so many equal requests meet the rule, as a row of marks. */
function row(rule: ActiveRule, count: number, told: Partial<FaultFacts> = {}): string {
  const marks = Array.from({ length: count }, () => (rule.meets({ ...facts, ...told }, nowMs) ? 'x' : '.'))
  return marks.join('')
}

describe('what a rule looks at', () => {
  const cases: [FaultRuleInput['match'], Partial<FaultFacts>, boolean][] = [
    [{}, {}, true],
    [{ app: 'com.example.app' }, {}, true],
    [{ app: 'com.example.app' }, { topic: 'com.example.app.voip' }, true],
    [{ app: 'com.example.app' }, { topic: 'com.example.app.push-type.liveactivity' }, true],
    [{ app: 'com.example.app' }, { topic: 'com.example.app2' }, false],
    [{ app: 'com.example.app' }, { topic: '' }, false],
    [{ topic: 'com.example.app' }, { topic: 'com.example.app.voip' }, false],
    [{ token: 'AB'.repeat(32) }, {}, true],
    [{ token: 'cd'.repeat(32) }, {}, false],
    [{ teamId: 'TEAM000001', keyId: 'KEY0000001' }, {}, true],
    [{ teamId: 'TEAM000001', keyId: 'KEY0000002' }, {}, false],
    [{ clientAddress: '127.0.0.1' }, {}, true],
    [{ clientAddress: '::1' }, {}, false],
    [{ connection: 2 }, {}, false],
    [{ connection: 2 }, { connectionNumber: 2 }, true],
    [{ from: nowMs, until: nowMs + 1 }, {}, true],
    [{ from: nowMs + 1 }, {}, false],
    [{ until: nowMs }, {}, false],
  ]
  test.each(cases)('%j of %j: %s', (match, told, expected) => {
    expect(active(match).meets({ ...facts, ...told }, nowMs)).toBe(expected)
  })

  test('connections are counted from when the rule was set', () => {
    const rule = faultRule.parse({ id: 'a', match: { connection: 1 }, fault: { kind: 'goaway' } })
    const later = new ActiveRule(rule, 1, 5)
    expect(later.meets({ ...facts, connectionNumber: 5 }, nowMs)).toBe(false)
    expect(later.meets({ ...facts, connectionNumber: 6 }, nowMs)).toBe(true)
  })
})

describe('counts', () => {
  test.each([
    [{ after: 3 }, '...xxxxx'],
    [{ every: 3 }, '..x..x..'],
    [{ after: 2, every: 2 }, '...x.x.x'],
    [{ times: 2 }, 'xx......'],
    [{ after: 1, every: 2, times: 2 }, '..x.x...'],
    [{ probability: 0 }, '........'],
    [{ probability: 1 }, 'xxxxxxxx'],
  ])('%j: %s', (match, expected) => {
    expect(row(active(match), 8)).toBe(expected)
  })

  test('each connection for itself, where the rule says so', () => {
    const rule = active({ after: 2, perConnection: true })
    expect(row(rule, 3, { connection: {} }) + row(rule, 3, { connection: {} })).toBe('..x..x')
    expect(rule).toMatchObject({ seen: 6, hits: 2, lastHitMs: nowMs })
  })

  test('what does not match is not counted', () => {
    const rule = active({ app: 'com.example.app', after: 1 })
    row(rule, 5, { topic: 'com.example.other' })
    expect(rule.seen).toBe(0)
    expect(row(rule, 2)).toBe('.x')
  })
})

describe('the seed', () => {
  test('the same seed meets the same requests', () => {
    const match = { probability: 0.3 }
    expect(row(active(match), 200)).toBe(row(active(match), 200))
    expect(row(active(match, 2), 200)).not.toBe(row(active(match), 200))
    expect(row(active(match, 1, 'other'), 200)).not.toBe(row(active(match), 200))
  })

  test('a share is met as often as it says', () => {
    const hits = row(active({ probability: 0.3 }), 10_000).split('x').length - 1
    expect(hits).toBeGreaterThan(2850)
    expect(hits).toBeLessThan(3150)
  })

  test('numbers lie from 0 up to 1 and are spread evenly', () => {
    const random = seededRandom('any')
    const tenths = new Array(10).fill(0)
    for (let index = 0; index < 10_000; index++) tenths[Math.floor(random() * 10)] += 1
    for (const count of tenths) expect(Math.abs(count - 1000)).toBeLessThan(150)
  })
})
