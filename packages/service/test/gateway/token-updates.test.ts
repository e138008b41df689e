import { afterEach, describe, expect, test } from 'vitest'
import type { Fidelity } from '../../src/fidelity.ts'
import { TokenUpdates } from '../../src/gateway/token-updates.ts'
import { keyId, newKey, signToken } from '../memory-authority.ts'
import { GatewayWorld, payload } from './gateway-world.ts'
import type { Provider } from './provider.ts'

const minuteMs = 60_000
const tooMany = { status: 429, reason: 'TooManyProviderTokenUpdates' }
const accepted = { status: 200 }

describe('how often the tokens of a key are renewed', () => {
  test('a new iat may follow after twenty minutes, an old one at any time', () => {
    const updates = new TokenUpdates(20 * minuteMs)
    const start = 1_700_000_000_000
    expect(updates.isTooSoon(keyId, start, start)).toBe(false)
    expect(updates.isTooSoon(keyId, start, start + 5)).toBe(false)
    expect(updates.isTooSoon(keyId, start + 1000, start + 10)).toBe(true)
    expect(updates.isTooSoon(keyId, start + 1000, start + 20 * minuteMs - 1)).toBe(true)
    expect(updates.isTooSoon(keyId, start + 1000, start + 20 * minuteMs)).toBe(false)
    expect(updates.isTooSoon(keyId, start, start + 20 * minuteMs + 1)).toBe(false)
    expect(updates.isTooSoon(keyId, start + 2000, start + 20 * minuteMs + 1)).toBe(true)
  })

  test('an earlier iat is a renewal too', () => {
    const updates = new TokenUpdates(20 * minuteMs)
    expect(updates.isTooSoon(keyId, 1_700_000_060_000, 1_700_000_060_000)).toBe(false)
    expect(updates.isTooSoon(keyId, 1_700_000_000_000, 1_700_000_061_000)).toBe(true)
  })

  test('a clock that was ahead and is set right shuts no key out', () => {
    const updates = new TokenUpdates(20 * minuteMs)
    const start = 1_700_000_000_000
    expect(updates.isTooSoon(keyId, start, start + 24 * 60 * minuteMs)).toBe(false)
    expect(updates.isTooSoon(keyId, start + 1000, start + 1000)).toBe(false)
    expect(updates.isTooSoon(keyId, start + 2000, start + 2000)).toBe(true)
  })

  test('each key counts for itself', () => {
    const updates = new TokenUpdates(20 * minuteMs)
    expect(updates.isTooSoon('KEY0000001', 1000, 1000)).toBe(false)
    expect(updates.isTooSoon('KEY0000002', 2000, 2000)).toBe(false)
  })
})

describe('on the wire', () => {
  let world: GatewayWorld
  afterEach(() => world.stop())

  async function start(fidelity: Partial<Fidelity> = {}): Promise<Provider> {
    world = await GatewayWorld.start({ fidelity })
    return world.provider()
  }

  const push = (provider: Provider, authorization: string) =>
    provider.send({ ...world.headers(), authorization }, payload)

  test('a second iat within twenty minutes is refused on the connection; the first goes on', async () => {
    const provider = await start()
    const first = world.bearer(10)
    expect(await push(provider, first)).toMatchObject(accepted)
    expect(await push(provider, world.bearer(0))).toMatchObject(tooMany)
    expect(await push(provider, first)).toMatchObject(accepted)
    world.nowMs += 20 * minuteMs
    expect(await push(provider, world.bearer(0))).toMatchObject(accepted)
    expect(await push(provider, first)).toMatchObject(accepted)
  })

  test('many tokens with one iat are one token', async () => {
    const provider = await start()
    for (let process = 0; process < 10; process++) {
      // Signed anew: another text each time.
      expect(await push(provider, world.bearer(10))).toMatchObject(accepted)
    }
  })

  test('another connection counts for itself by default', async () => {
    const provider = await start()
    const other = await world.provider()
    expect(await push(provider, world.bearer(10))).toMatchObject(accepted)
    expect(await push(other, world.bearer(0))).toMatchObject(accepted)
  })

  test('with tokenUpdateScope key all connections of the key count together', async () => {
    const provider = await start({ tokenUpdateScope: 'key' })
    const other = await world.provider()
    expect(await push(provider, world.bearer(10))).toMatchObject(accepted)
    expect(await push(other, world.bearer(0))).toMatchObject(tooMany)
    expect(await push(other, world.bearer(10))).toMatchObject(accepted)
  })

  test.each(['connection', 'key'] as const)(
    'with tokenUpdateMinutesMin 0 nothing counts: %s',
    async (scope) => {
      const provider = await start({ tokenUpdateMinutesMin: 0, tokenUpdateScope: scope })
      for (let age = 0; age < 10; age++)
        expect(await push(provider, world.bearer(age))).toMatchObject(accepted)
    },
  )

  test('a token that was refused counts for nothing', async () => {
    const provider = await start()
    const stranger = newKey()
    const seconds = Math.floor(world.nowMs / 1000)
    for (const authorization of [
      `bearer ${signToken(stranger.privateKey, seconds - 20)}`,
      world.bearer(3700),
      world.bearer(-3700),
    ]) {
      expect(await push(provider, authorization)).toMatchObject({ status: 403 })
    }
    expect(await push(provider, world.bearer(0))).toMatchObject(accepted)
  })
})
