import { readFileSync, writeFileSync } from 'node:fs'
import {
  binaryOptionsDefault,
  fidelityDefaults,
  keepAliveDefaults,
  powerDefaults,
  traceDefaults,
} from '@carillon/service'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { printConfiguration } from '../src/configuration/print-configuration.ts'
import { parseConfiguration, readConfiguration } from '../src/configuration/read-configuration.ts'
import { serviceSection } from '../src/configuration/service-section.ts'
import { shapeOf } from '../src/configuration/setting.ts'
import { systemOptionsOf } from '../src/configuration/system-options.ts'
import { portsFor } from '../src/ports.ts'
import { settingsOf } from '../src/service-settings.ts'

const example = new URL('../../../examples/carillon.yaml', import.meta.url)

test('the commented example is what the schema prints', () => {
  if (process.env.UPDATE_DOCS) writeFileSync(example, printConfiguration())
  expect(readFileSync(example, 'utf8')).toBe(printConfiguration())
})

test('the example as it is changes nothing', () => {
  const options = systemOptionsOf(parseConfiguration(printConfiguration(), 'carillon.yaml'))
  expect(options).toEqual(systemOptionsOf(parseConfiguration('', 'empty.yaml')))
  for (const group of Object.values(options.pushService!)) expect(group).toEqual({})
})

test('every default that the example shows is taken when its line is let in', () => {
  const active = printConfiguration().replace(/^( *)# (?!#)/gm, '$1')
  const configuration = parseConfiguration(active.replace(/^(sandbox|production):$/gm, ''), 'active.yaml')
  expect(configuration).toMatchObject(parse(active.replace(/^(sandbox|production):$/gm, '')))
})

test.each([
  ['fidelity', fidelityDefaults],
  ['binary', binaryOptionsDefault],
  ['power', powerDefaults],
  ['keepAlive', keepAliveDefaults],
  ['trace', traceDefaults],
] as const)('every setting of %s is there, with the default of the service', (name, defaults) => {
  expect(Object.keys(shapeOf(serviceSection[name])!).toSorted()).toEqual(Object.keys(defaults).toSorted())
  const printed = parse(printConfiguration().replace(/^( *)# (?!#)/gm, '$1'))
  expect(printed.pushService[name]).toEqual(defaults)
})

test.each([
  ['hosst: 1', 'c.yaml, line 1: hosst: there is no such setting.'],
  [
    'pushService:\n  fidelity:\n    oneStream: true',
    'c.yaml, line 3: pushService.fidelity.oneStream: there is no such setting.',
  ],
  [
    'host: 127.0.0.1\npushService:\n  trace:\n    keepDays: soon',
    'c.yaml, line 4: pushService.trace.keepDays: invalid input: expected number, received string.',
  ],
  ['ports: some', 'c.yaml, line 1: ports: give default, auto, or the number of each listener'],
  [
    'ports:\n  provider: x',
    'c.yaml, line 2: ports.provider: invalid input: expected number, received string.',
  ],
  [
    'pushService:\n  power:\n    groupMs: soon',
    'c.yaml, line 3: pushService.power.groupMs: invalid input: expected number, received string.',
  ],
  ['pushService:\n  power: off-and-on', 'c.yaml, line 2: pushService.power: invalid input.'],
  [
    'sandbox:\n  faults:\n    rules:\n      - id: a\n        fault: { kind: close }\n      - id: b\n        fault: { kind: clsoe }',
    'c.yaml, line 7: sandbox.faults.rules.1.fault.kind: ',
  ],
  [
    'pushService: { faults: { rulez: [] } }',
    'c.yaml, line 1: pushService.faults.rulez: there is no such setting.',
  ],
  [
    'production:\n  admission: { handshakesPerSecond: 3 }',
    'c.yaml, line 2: production.admission: there is no such setting.',
  ],
  [
    'pushService:\n  fidelity: { unregisteredDelaySecondsMax: 3 }\nsandbox:\n  fidelity: { unregisteredDelaySecondsMin: 5 }',
    'c.yaml: sandbox: fidelity.unregisteredDelaySecondsMin is above fidelity.unregisteredDelaySecondsMax.',
  ],
  [
    'pushService: { fidelity: { tokenUpdateMinutesMin: 90 } }',
    'c.yaml: pushService: fidelity.tokenUpdateMinutesMin is 90.',
  ],
  ['sandbox:\n  fidelity: [', 'c.yaml, line'],
  ['- host', 'c.yaml, line 1: invalid input: expected object, received array.'],
])('%j is refused with the line and the key', (text, sentence) => {
  expect(() => parseConfiguration(text, 'c.yaml')).toThrow(
    expect.objectContaining({ code: 'CONFIGURATION', message: expect.stringContaining(sentence) }),
  )
})

test('a file that is not there is named', async () => {
  await expect(readConfiguration('/nowhere/carillon.yaml')).rejects.toMatchObject({
    code: 'CONFIGURATION',
    message: expect.stringContaining('/nowhere/carillon.yaml does not exist'),
    fix: expect.stringContaining('--config'),
  })
})

test('single ports stand over the default ones', () => {
  const { ports } = systemOptionsOf(
    parseConfiguration('ports: { provider: 8080, production: { http2: 443 } }', 'c'),
  )
  const others = portsFor('default')
  expect(ports).toEqual({ ...others, provider: 8080, production: { ...others.production, http2: 443 } })
})

test('what an environment says of its own stands over what both have, setting by setting', () => {
  const text =
    'pushService: { fidelity: { streamsBeforeToken: 5, retryAfterSeconds: 9 } }\nsandbox: { power: ignore, fidelity: { streamsBeforeToken: 7 } }'
  const { pushService, sandbox, production } = systemOptionsOf(parseConfiguration(text, 'c.yaml'))
  expect(settingsOf(pushService, sandbox)).toMatchObject({
    fidelity: { streamsBeforeToken: 7, retryAfterSeconds: 9 },
    power: 'ignore',
  })
  expect(settingsOf(pushService, production)).toMatchObject({
    fidelity: { streamsBeforeToken: 5, retryAfterSeconds: 9 },
    power: {},
  })
})

test('a word in the place of a section holds in both environments, unless one has settings of its own', () => {
  const text = 'pushService: { power: ignore }\nsandbox: { power: { groupMs: 3 } }'
  const { pushService, sandbox, production } = systemOptionsOf(parseConfiguration(text, 'c.yaml'))
  expect(settingsOf(pushService, production).power).toBe('ignore')
  expect(settingsOf(pushService, sandbox).power).toEqual({ groupMs: 3 })
})

test('faults are told as a whole: rules of an environment stand in the place of those of both', () => {
  const rules = (id: string) => `{ faults: { rules: [{ id: ${id}, fault: { kind: close } }] } }`
  const text = `pushService: ${rules('a')}\nsandbox: ${rules('b')}`
  const { pushService, sandbox } = systemOptionsOf(parseConfiguration(text, 'c.yaml'))
  expect(settingsOf(pushService, sandbox).faults?.rules).toMatchObject([{ id: 'b' }])
})
