import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import {
  allChannelsPath,
  appleHostOf,
  appleHosts,
  bearerTokenOf,
  broadcastPath,
  channelsPath,
  defaultPorts,
  devicePath,
  environments,
  header,
  parseDevicePath,
  parseGatewayPath,
} from '../../src/index.ts'

const segment = fc.stringMatching(/^[A-Za-z0-9.-]{1,40}$/)

describe('paths', () => {
  it('come back from what the builders make', () => {
    fc.assert(
      fc.property(segment, (text) => {
        expect(parseGatewayPath(devicePath(text))).toEqual({ api: 'device', token: text })
        expect(parseDevicePath(devicePath(text))).toBe(text)
        expect(parseGatewayPath(broadcastPath(text))).toEqual({ api: 'broadcast', bundleId: text })
        expect(parseGatewayPath(channelsPath(text))).toEqual({ api: 'channels', bundleId: text })
        expect(parseGatewayPath(allChannelsPath(text))).toEqual({ api: 'all-channels', bundleId: text })
      }),
    )
  })

  test.each([
    ['/3/device/', ''],
    ['/3/device', ''],
    ['/3/device/ab?x=1', 'ab?x=1'],
    ['/3/device/ab/', undefined],
    ['/3/devic', undefined],
    ['/3/devices', undefined],
    ['/2/device/ab', undefined],
    ['3/device/ab', undefined],
    ['', undefined],
  ])('the device path %j holds the token %j', (path, token) => {
    expect(parseDevicePath(path)).toBe(token)
  })

  test.each([
    '',
    '/',
    '/1/apps',
    '/1/apps/',
    '/1/apps/com.example',
    '/1/apps//channels',
    '/1/apps/com.example/',
    '/1/apps/com.example/channel',
    '/1/apps/com.example/channels/',
    '/1/apps/com.example/channels/AAAA',
    '/4/broadcasts/apps/',
    '/4/broadcasts/apps/com.example/x',
    '/4/broadcasts/apps/com.example?x',
    '/4/broadcasts/com.example',
  ])('%j is no path of the provider API', (path) => {
    expect(parseGatewayPath(path)).toBeUndefined()
  })

  it('are parsed without throwing, whatever they hold', () => {
    const text = fc.oneof(
      fc.string(),
      fc.stringMatching(/^(\/(1|3|4|apps|device|broadcasts|channels|x)){0,6}\/?$/),
    )
    fc.assert(
      fc.property(text, (path) => {
        const parsed = parseGatewayPath(path)
        if (parsed !== undefined && parsed.api !== 'device') expect(parsed.bundleId).not.toBe('')
      }),
    )
  })
})

describe('hosts and ports', () => {
  it("know Apple's names in any case", () => {
    for (const environment of environments) {
      for (const [service, host] of Object.entries(appleHosts[environment])) {
        expect(appleHostOf(host.toUpperCase())).toEqual({ environment, service })
      }
    }
    expect(appleHostOf('api.development.push.apple.com')).toEqual({
      environment: 'sandbox',
      service: 'http2',
    })
    expect(appleHostOf('api-broadcast.push.apple.com')).toEqual({
      environment: 'production',
      service: 'http2',
    })
    expect(appleHostOf('localhost')).toBeUndefined()
    expect(appleHostOf('constructor')).toBeUndefined()
  })

  it('keep the sandbox 10000 above production', () => {
    const { production, sandbox } = defaultPorts
    const listeners = Object.keys(production) as (keyof typeof production)[]
    expect(listeners).toHaveLength(6)
    expect(Object.keys(sandbox)).toEqual(listeners)
    for (const listener of listeners) expect(sandbox[listener]).toBe(production[listener] + 10_000)
  })
})

describe('headers', () => {
  it('are lower case and distinct', () => {
    const names = Object.values(header)
    expect(new Set(names).size).toBe(names.length)
    for (const name of names) expect(name).toBe(name.toLowerCase())
  })

  test.each([
    ['bearer abc', 'abc'],
    ['Bearer abc', 'abc'],
    ['BEARER  abc', 'abc'],
    ['bearer ', ''],
    ['bearer', ''],
    ['bearerabc', ''],
    ['bearer\tabc', ''],
    ['basic abc', ''],
    ['abc', ''],
    ['', ''],
  ])('authorization %j holds the token %j', (value, token) => {
    expect(bearerTokenOf(value)).toBe(token)
  })
})
