import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { hexBytes } from '@carillon/wire'
import { describe, expect, test } from 'vitest'
import { DeviceError } from '../../src/device-error.ts'
import { limits } from '../../src/limits.ts'
import { DeviceState } from '../../src/state/device-state.ts'
import { rejection, temporaryFiles } from '../support/temporary.ts'

const app = (bundleId: string, environment: 'sandbox' | 'production' = 'sandbox') => ({
  bundleId,
  environment,
  installation: '0102030405060708',
})
const first = hexBytes('a0'.repeat(32))
const second = hexBytes('b0'.repeat(32))

test('everything is there again in a later process', async () => {
  const files = await temporaryFiles()
  const state = await DeviceState.open(files)
  await state.addApp(app('a.b'))
  await state.setBaseToken('sandbox', first)
  await state.changeApp('a.b', { deviceToken: 'cc' })
  await state.changeApp('a.b', { badge: 4 })
  await state.addApp(app('c.d'))
  await state.removeApp('c.d')

  const later = await DeviceState.open(files)
  expect(later.apps()).toEqual([{ ...app('a.b'), badge: 4, deviceToken: 'cc' }])
  expect(later.baseToken('sandbox')).toEqual(first)
  expect(later.baseToken('production')).toBeUndefined()
  expect(later.gone('sandbox')).toEqual([{ bundleId: 'c.d', environment: 'sandbox' }])
  expect((await stat(files.state)).mode & 0o777).toBe(0o600)
})

test('changes made at once all hold, whichever is written first', async () => {
  const files = await temporaryFiles()
  const state = await DeviceState.open(files)
  await state.addApp(app('a.b'))
  await Promise.all([
    state.changeApp('a.b', { badge: 1 }),
    state.changeApp('a.b', { deviceToken: 'cc' }),
    state.addApp(app('c.d')),
    state.changeApp('a.b', { badge: 2 }),
    state.setBaseToken('production', second),
  ])
  const later = await DeviceState.open(files)
  expect(later.app('a.b')).toMatchObject({ badge: 2, deviceToken: 'cc' })
  expect(later.app('c.d')).toBeDefined()
  expect(later.baseToken('production')).toEqual(second)
})

describe('base token', () => {
  test('the first one and the same one again leave tokens alone; another voids those of its environment', async () => {
    const state = await DeviceState.open(await temporaryFiles())
    await state.addApp(app('a.b'))
    await state.addApp(app('c.d', 'production'))
    for (const bundleId of ['a.b', 'c.d']) await state.changeApp(bundleId, { deviceToken: 'cc', badge: 3 })
    await state.setBaseToken('sandbox', first)
    await state.setBaseToken('sandbox', first.slice())
    expect(state.app('a.b')?.deviceToken).toBe('cc')
    await state.setBaseToken('sandbox', second)
    expect(state.app('a.b')).toEqual({ ...app('a.b'), badge: 3 })
    expect(state.app('c.d')?.deviceToken).toBe('cc')
  })
})

describe('apps', () => {
  test('one that is installed again keeps all it has; after a removal it is a new installation', async () => {
    const state = await DeviceState.open(await temporaryFiles())
    await state.addApp(app('a.b'))
    await state.changeApp('a.b', { deviceToken: 'cc', badge: 3 })
    const again = { ...app('a.b'), installation: 'ffffffffffffffff' }
    await state.addApp(again)
    expect(state.app('a.b')).toMatchObject({ installation: app('a.b').installation, badge: 3 })
    await state.removeApp('a.b')
    expect(state.gone('sandbox')).toHaveLength(1)
    await state.addApp(again)
    expect(state.app('a.b')).toEqual({ ...again, badge: 0 })
    expect(state.gone('sandbox')).toEqual([])
  })

  test('one that moves to the other environment is gone in the old one', async () => {
    const state = await DeviceState.open(await temporaryFiles())
    await state.addApp(app('a.b'))
    await state.changeApp('a.b', { deviceToken: 'cc' })
    await state.addApp(app('a.b', 'production'))
    expect(state.apps('sandbox')).toEqual([])
    expect(state.apps('production')).toEqual([{ ...app('a.b', 'production'), badge: 0 }])
    expect(state.gone('sandbox')).toHaveLength(1)
    await state.removeApp('a.b')
    expect([state.gone('sandbox'), state.gone('production')].map(({ length }) => length)).toEqual([1, 1])
  })

  test('changing or removing what is not installed changes nothing', async () => {
    const state = await DeviceState.open(await temporaryFiles())
    await state.changeApp('a.b', { badge: 1 })
    await state.removeApp('a.b')
    expect([state.apps(), state.gone('sandbox')]).toEqual([[], []])
  })

  test('the one removed longest ago is forgotten at the limit', async () => {
    const state = await DeviceState.open(await temporaryFiles())
    const changes: Promise<void>[] = []
    for (let n = 0; n <= limits.goneAppsMax; n++)
      changes.push(state.addApp(app(`a.b${n}`)), state.removeApp(`a.b${n}`))
    await Promise.all(changes)
    expect(state.gone('sandbox')).toHaveLength(limits.goneAppsMax)
    expect(state.gone('sandbox')[0]?.bundleId).toBe('a.b1')
  })
})

describe('damage', () => {
  test('a process that died while writing leaves the last whole state', async () => {
    const files = await temporaryFiles()
    const state = await DeviceState.open(files)
    await state.addApp(app('a.b'))
    await writeFile(`${files.state}.new`, '{"version":1,"ap')
    const later = await DeviceState.open(files)
    await later.changeApp('a.b', { badge: 1 })
    expect((await DeviceState.open(files)).app('a.b')?.badge).toBe(1)
  })

  const whole = { version: 1, baseTokens: {}, apps: [{ ...app('a.b'), badge: 0 }], gone: [] }
  test.each([
    ['no JSON', '{"version":1'],
    ['empty', ''],
    ['another version', { ...whole, version: 2 }],
    ['no object', [1]],
    ['apps that are no list', { ...whole, apps: {} }],
    ['an app without a badge', { ...whole, apps: [app('a.b')] }],
    ['an app of no environment', { ...whole, apps: [{ ...app('a.b'), badge: 0, environment: 'x' }] }],
    ['an installation of one byte', { ...whole, apps: [{ ...app('a.b'), badge: 0, installation: '01' }] }],
    ['a token that is no hex', { ...whole, baseTokens: { sandbox: 'zz' } }],
    ['no list of removed apps', { version: 1, baseTokens: {}, apps: [] }],
  ])('%s: a sentence that names the file and what to do', async (_what, content) => {
    const files = await temporaryFiles()
    await writeFile(files.state, typeof content === 'string' ? content : JSON.stringify(content))
    const error = await rejection(DeviceState.open(files))
    expect(error).toBeInstanceOf(DeviceError)
    expect(error).toMatchObject({
      code: 'STATE_UNREADABLE',
      message: `The device state ${files.state} is damaged.`,
      fix: expect.stringContaining('--state'),
    })
    expect(await readFile(files.state, 'utf8')).toBeTypeOf('string') // nothing is thrown away
  })

  test('a write that fails is told to who made the change, and the next one makes up for it', async () => {
    const files = await temporaryFiles()
    const state = await DeviceState.open(files)
    await mkdir(`${files.state}.new`)
    expect(await rejection(state.addApp(app('a.b')))).toMatchObject({ code: 'STATE_UNREADABLE' })
    await rm(`${files.state}.new`, { recursive: true })
    await state.addApp(app('c.d'))
    expect((await DeviceState.open(files)).apps()).toHaveLength(2)
  })
})
