import { type BinaryNotification, encodeBinaryNotification } from '@carillon/wire'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { bundleId } from '../memory-authority.ts'
import { notification, nowMs, packet, payload, SessionWorld, tokenBytes } from './session-fixture.ts'

const other = new Uint8Array(32).fill(0xcd)
const text = (json: string) => new TextEncoder().encode(json)
const bytesOf = (changes: Partial<BinaryNotification>) => encodeBinaryNotification(notification(changes))
const simple = { command: 0, identifier: undefined, expiration: undefined, priority: undefined } as const

function send(world: SessionWorld, ...all: Partial<BinaryNotification>[]): void {
  world.session.receive(Buffer.concat(all.map(bytesOf)))
}

/** Sends notifications with identifiers from `first`. */
function sendMany(world: SessionWorld, count: number, first = 1): void {
  send(world, ...Array.from({ length: count }, (_, index) => ({ identifier: first + index })))
}

describe('a good notification is handed to delivery and not answered', () => {
  test('of each command', () => {
    const world = new SessionWorld()
    send(world, simple, { command: 1, priority: undefined }, {})
    expect(world.accepted).toHaveLength(3)
    for (const taken of world.accepted) {
      expect(taken).toMatchObject({ priority: 10, collapseId: '', pushType: '', receivedAtMs: nowMs })
      expect(Buffer.from(taken.payload).equals(payload)).toBe(true)
      expect(taken.token.topic).toBe(bundleId)
    }
    expect(new Set(world.accepted.map((taken) => taken.apnsId)).size).toBe(3)
    expect(world.end).toBeUndefined()
  })

  const stored = Math.floor(nowMs / 1000) + 30 * 24 * 60 * 60
  test.each([
    ['command 0 is stored as long as may be', simple, {}, stored],
    ['command 1 says it', { command: 1, expiration: 7, priority: undefined }, {}, 7],
    ['command 1 with 0 is not stored', { command: 1, expiration: 0, priority: undefined }, {}, 0],
    ['command 2 without the item is not stored', { expiration: undefined }, {}, 0],
    ['command 2 without it, on request', { expiration: undefined }, { missingExpiration: 'stored' }, stored],
  ] as const)('expiration: %s', (_what, changes, options, expiration) => {
    const world = new SessionWorld({ options })
    send(world, changes)
    expect(world.accepted[0]?.expiration).toBe(expiration)
  })

  test('content-available alone counts as priority 5 where no priority is said', () => {
    const world = new SessionWorld()
    const silent = text('{"aps":{"content-available":1}}')
    send(world, { ...simple, payload: silent }, { priority: undefined, payload: silent })
    expect(world.accepted.map(({ priority, pushType }) => [priority, pushType])).toEqual([
      [5, 'background'],
      [5, 'background'],
    ])
  })

  test('the payload is a copy: the chunk may be used again', () => {
    const world = new SessionWorld()
    const bytes = Buffer.from(bytesOf({}))
    world.session.receive(bytes)
    bytes.fill(0)
    expect(Buffer.from(world.accepted[0]!.payload).equals(payload)).toBe(true)
  })

  test('for an app that is gone it goes nowhere, and the token is listed for feedback again', () => {
    const world = new SessionWorld()
    world.addToken(other, { inactiveSinceMs: 5 })
    send(world, { token: other }, { identifier: 2 })
    expect(world.accepted).toHaveLength(1)
    expect(world.listedAgain.map(({ inactiveSinceMs }) => inactiveSinceMs)).toEqual([5])
    expect(world.discarded).toEqual([`${bundleId} unregistered`])
    expect(world.end).toBeUndefined()
  })

  test('a flood to gone apps is held up while their tokens are not listed, and goes on afterwards', () => {
    const world = new SessionWorld()
    world.addToken(other, { inactiveSinceMs: 5 })
    world.listings = []
    const count = 4 * limits.binaryInFlightMax
    world.session.receive(Buffer.concat(Array.from({ length: count }, () => bytesOf({ token: other }))))
    expect([world.listings.length, world.isPaused]).toEqual([limits.binaryInFlightMax, true])
    for (let done = world.listings.shift(); done !== undefined; done = world.listings.shift()) done()
    expect([world.listedAgain.length, world.isPaused]).toEqual([count, false])
  })

  test('the connection that was to end after one for a gone app ends', () => {
    const world = new SessionWorld()
    world.addToken(other, { inactiveSinceMs: 5 })
    const ended: string[] = []
    world.trouble = { meet: () => 'overAfterwards', end: () => ended.push('ended') }
    send(world, { token: other }, { identifier: 2 })
    expect([world.listedAgain.length, world.accepted.length, ended]).toEqual([1, 0, ['ended']])
  })
})

describe('a bad one is answered with its status and identifier, and ends the connection', () => {
  const long = text(JSON.stringify({ aps: { alert: 'x'.repeat(2048) } }))
  const short = text(JSON.stringify({ aps: { alert: 'x'.repeat(256) } }))
  const strict = { unframedPayloadBytesMax: 256 } as const
  test.each([
    ['token of no bytes', { token: new Uint8Array() }, 2, 0],
    ['token of 31 bytes', { token: tokenBytes.subarray(1) }, 5, 7],
    ['token of 100 bytes', { token: new Uint8Array(100) }, 5, 7],
    ['no payload', { payload: new Uint8Array() }, 4, 7],
    ['payload over the limit', { payload: long }, 7, 7],
    ['payload over the limit in command 1', { payload: long, command: 1, priority: undefined }, 7, 7],
    ['payload that is no JSON', { payload: text('hello') }, 4, 7],
    ['payload that is no object', { payload: text('[1]') }, 4, 7],
    ['token of nobody', { token: new Uint8Array(32) }, 8, 7],
    ['token of another app', { token: other }, 8, 7],
    ['priority 7', { priority: 7 }, 1, 7],
    ['priority 10 with content-available alone', { payload: text('{"aps":{"content-available":1}}') }, 1, 7],
  ] as const)('%s', (_what, changes, status, identifier) => {
    const world = new SessionWorld()
    world.addToken(other, { topic: 'com.example.other', bundleId: 'com.example.other' })
    send(world, { identifier: 6 }, { identifier: 7, ...changes }, { identifier: 8 })
    world.answerLookups()
    expect(world.end).toBe(packet(status, identifier))
    expect(world.accepted).toHaveLength(1)
    send(world, { identifier: 9 })
    expect(world.accepted).toHaveLength(1)
  })

  test.each([
    ['unknown command', '07', 0],
    ['item beyond its frame', '02 00000003 01 00ff', 0],
    ['unknown item', '02 0000000b 03 0004 00000007 09 0001 00', 7],
    ['frame longer than can be', '02 7fffffff', 0],
  ])('%s: 128', (_what, hex, identifier) => {
    const world = new SessionWorld()
    world.session.receive(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
    expect(world.end).toBe(packet(128, identifier))
    expect(world.rejected.map(({ reason }) => reason)).toEqual(['protocolError'])
  })

  test('of command 0 by the closed connection alone', () => {
    const world = new SessionWorld()
    send(world, simple, { ...simple, token: other }, simple)
    world.answerLookups()
    expect(world.end).toBe('closed')
    expect(world.accepted).toHaveLength(1)
  })

  test.each([
    ['priority 7', { priority: 7 }],
    ['priority 10 with content-available alone', { payload: text('{"aps":{"content-available":1}}') }],
  ])('%s is told to the trace as BadPriority, not as a failure of the service', (_what, changes) => {
    const world = new SessionWorld()
    send(world, changes)
    world.answerLookups()
    expect(world.rejected.map(({ reason }) => reason)).toEqual(['BadPriority'])
  })

  test('and told to the trace, but for the token of no bytes that flushes', () => {
    const world = new SessionWorld()
    send(world, { payload: text('x') })
    expect(world.rejected).toMatchObject([
      { token: 'ab'.repeat(32), topic: bundleId, reason: 'PayloadEmpty', priority: 10 },
    ])
    const flushed = new SessionWorld()
    send(flushed, { token: new Uint8Array() })
    expect(flushed.rejected).toEqual([])
  })

  test('the limit of commands 0 and 1 may be the one before iOS 8', () => {
    const world = new SessionWorld({ options: strict })
    send(world, { payload: short })
    expect(world.accepted).toHaveLength(1)
    send(world, { payload: short, command: 1, priority: undefined, identifier: 3 })
    expect(world.end).toBe(packet(7, 3))
  })

  test('a VoIP topic takes 4096 bytes, the app itself does not', () => {
    const world = new SessionWorld({ topics: [bundleId, `${bundleId}.voip`] })
    world.addToken(other, { topic: `${bundleId}.voip` })
    send(world, { token: other, payload: long, identifier: 1 })
    expect(world.accepted).toMatchObject([{ pushType: 'voip' }])
    send(world, { payload: long, identifier: 2 })
    expect(world.end).toBe(packet(7, 2))
  })
})

describe('the packet waits for everything before it', () => {
  /** Three notifications that are not settled yet, and a bad one behind them. */
  function withThreeUnsettled(): SessionWorld {
    const world = new SessionWorld()
    world.outcome = 'later'
    sendMany(world, 3)
    send(world, { identifier: 4, token: new Uint8Array() })
    return world
  }

  test('so that it says that all of it was accepted', () => {
    const world = withThreeUnsettled()
    world.settle('accepted', 2)
    world.settle('accepted', 1)
    expect(world.end).toBeUndefined()
    world.settle()
    expect(world.end).toBe(packet(2, 0))
  })

  test('also where their tokens are still looked up', () => {
    const world = new SessionWorld()
    world.addToken(other, {}, world.slow)
    send(world, { identifier: 1, token: other }, { identifier: 2 }, { identifier: 3, payload: text('x') })
    expect([world.accepted.length, world.end]).toEqual([0, undefined])
    world.answerLookups()
    expect(world.accepted.map(({ token }) => token.token.slice(0, 2))).toEqual(['cd', 'ab'])
    expect(world.end).toBe(packet(4, 3))
  })

  test('a store that fails takes the place of the later one: status 1', () => {
    const world = withThreeUnsettled()
    world.settle('failed', 2)
    world.settle('failed', 1)
    world.settle()
    expect(world.end).toBe(packet(1, 2))
  })

  test('one that took nothing after all is to be sent again: status 10 with the one before it', () => {
    const world = new SessionWorld()
    world.outcome = 'later'
    sendMany(world, 3, 11)
    world.settle()
    world.settle('busy')
    world.settle()
    expect(world.end).toBe(packet(10, 11))
  })

  test("a look-up that fails is nobody's fault: status 10", () => {
    const world = new SessionWorld()
    send(world, { identifier: 5 }, { identifier: 6, token: other }, { identifier: 7 })
    world.answerLookups(new Error('disk'))
    expect(world.end).toBe(packet(10, 5))
    expect(world.accepted).toHaveLength(1)
  })
})

describe('back-pressure', () => {
  test('nothing more is read while much is unsettled, and nothing is lost by it', () => {
    const world = new SessionWorld()
    world.outcome = 'later'
    sendMany(world, limits.binaryInFlightMax + 10)
    expect(world.accepted).toHaveLength(limits.binaryInFlightMax)
    expect(world.isPaused).toBe(true)
    while (world.unsettled > limits.binaryInFlightMax / 2 - 1) world.settle()
    expect(world.accepted).toHaveLength(limits.binaryInFlightMax + 10)
    expect(world.isPaused).toBe(false)
  })

  test('a busy delivery is asked again, in order', () => {
    const world = new SessionWorld()
    world.outcome = 'busy'
    sendMany(world, 3)
    expect(world.accepted).toEqual([])
    world.outcome = 'accepted'
    world.session.tick(nowMs + 250)
    expect(world.accepted).toHaveLength(3)
    // Only the time without a break counts.
    world.session.tick(nowMs + 250)
    expect(world.end).toBeUndefined()
  })

  test('for some time; then status 10 names the last one that counts', () => {
    const world = new SessionWorld()
    sendMany(world, 2)
    world.outcome = 'busy'
    sendMany(world, 2, 3)
    world.session.tick(nowMs + 500)
    expect(world.end).toBeUndefined()
    world.session.tick(nowMs + limits.binaryHeldMsMax + 1)
    expect(world.end).toBe(packet(10, 2))
  })
})

describe('the end', () => {
  test('a drain waits for what was handed over and gives up what was not', () => {
    const world = new SessionWorld()
    world.addToken(other, {}, world.slow)
    world.outcome = 'later'
    send(world, { identifier: 21 }, { identifier: 22, token: other }, { identifier: 23 })
    world.session.drain()
    expect(world.end).toBeUndefined()
    world.settle()
    expect(world.end).toBe(packet(10, 21))
    world.answerLookups()
    expect(world.accepted).toHaveLength(1)
  })

  test('a client that ends its side is served to the end, and closed without a packet', () => {
    const world = new SessionWorld()
    world.outcome = 'later'
    world.session.receive(Buffer.concat([bytesOf({}), bytesOf({}).subarray(0, 10)]))
    world.session.peerEnded()
    expect(world.end).toBeUndefined()
    world.settle()
    expect(world.end).toBe('closed')
  })

  test('a fault of ours is told, and ends this connection without a word', () => {
    const world = new SessionWorld()
    send(world, { identifier: 1 })
    world.accept = () => {
      throw new Error('a fault')
    }
    send(world, { identifier: 2 }, { identifier: 3 })
    expect(world.end).toBe('closed')
    expect(world.troubles).toEqual(['A fault in the binary gateway ended a connection.'])
    world.session.drain()
    world.session.peerEnded()
    send(world, { identifier: 4 })
  })

  test('a revoked certificate ends the connection with what counts', () => {
    const world = new SessionWorld()
    send(world, { identifier: 9 })
    world.session.reexamine()
    expect(world.end).toBeUndefined()
    world.authority.setCertificate('01', 'revoked')
    world.session.reexamine()
    expect(world.end).toBe(packet(10, 9))
  })

  test('an expired one likewise', () => {
    const world = new SessionWorld()
    world.now = nowMs + 1001
    world.session.tick(world.now)
    expect(world.end).toBe(packet(10, 0))
  })
})
