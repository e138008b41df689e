import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { DeviceTrust } from '../../src/courier/device-trust.ts'
import { courierWorld, Peer, settled } from './courier-world.ts'

/*
 * The bytes that an independent client (pypush) exchanged with a stub courier, against the real session. The
 * certificate in them is signed by a throw-away authority that nobody has, so only that check is left out: the
 * signature of the nonce, its age and everything else are the real thing.
 */
interface Frame {
  readonly dir: 'D>S' | 'S>D'
  readonly cmd: number
  readonly hex: string
  readonly fields: readonly { readonly id: number; readonly hex: string }[]
}
const vectors = JSON.parse(
  readFileSync(new URL('../../../wire/test/vectors/courier.json', import.meta.url), 'utf8'),
)
const certificateTrust: DeviceTrust = {
  identify: ([der]) => {
    const certificate = new X509Certificate(der!)
    return { deviceId: certificate.subject, publicKey: certificate.publicKey, serial: '01' }
  },
}
const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'))
const command = { connected: 0x08, appToken: 0x12, notification: 0x0a, keepAliveReply: 0x0d, noStorage: 0x0e }

test.each(['first', 'resume'])('pypush, %s connection: the session answers as it expects', async (name) => {
  const exchange: readonly Frame[] = vectors.tlv[name]
  const fieldOf = (frame: Frame, id: number) => frame.fields.find((field) => field.id === id)?.hex
  const connect = exchange.find((frame) => frame.cmd === 7)!
  const connected = exchange.find((frame) => frame.cmd === command.connected)!
  const appToken = exchange.find((frame) => frame.cmd === command.appToken)!
  const base = bytes(name === 'first' ? vectors.constants.baseToken : vectors.constants.resumeBaseToken)
  const world = courierWorld({
    trust: certificateTrust,
    baseTokenOf: () => base,
    tokens: [bytes(fieldOf(appToken, 2)!)],
  })
  world.clock.nowMs = Number(BigInt(`0x${fieldOf(connected, 10)}`))
  const peer = new Peer(world)
  const written = () => peer.frames.map((frame) => Buffer.from(frame).toString('hex'))

  for (const frame of exchange) {
    if (frame.dir === 'D>S') {
      // One byte at a time: framing must not depend on chunks.
      for (const byte of bytes(frame.hex)) peer.bytes(Uint8Array.of(byte))
      await settled()
      continue
    }
    if (frame.cmd === command.notification) {
      const text = (id: number) => fieldOf(frame, id)!
      world.inboxes[0]!.link.send(
        {
          seq: 1,
          device: 7,
          app: vectors.constants.topic,
          topic: vectors.constants.topic,
          token: bytes(text(1)),
          apnsId: new Uint8Array(16).fill(9),
          payload: bytes(text(3)),
          priority: 10,
          pushType: 'alert',
          collapseId: '',
          expiration: Number.parseInt(text(5), 16),
          receivedAtMs: Number(BigInt(`0x${text(6)}`) / 1_000_000n),
        },
        0x01020304,
        'live',
      )
      // Our frame has more fields; those of the vector must all be in it.
      for (const field of frame.fields) {
        const length = (field.hex.length / 2).toString(16).padStart(4, '0')
        expect(written().at(-1)).toContain(field.id.toString(16).padStart(2, '0') + length + field.hex)
      }
      continue
    }
    // `connected` may leave the token out when the client knows it; ours never does.
    if (frame.cmd === command.connected && name === 'resume') {
      expect(written().at(-1)).toContain(`030020${Buffer.from(base).toString('hex')}`)
    } else expect(written()).toContain(frame.hex)
  }
  expect(fieldOf(connect, 1)).toBe(name === 'first' ? undefined : Buffer.from(base).toString('hex'))
  expect(world.inboxes[0]!.calls).toContain(`ack ${0x01020304} 0`)
  expect(world.host.counters).toMatchObject({ connected: 1, rejected: {}, closed: {}, unknownCommands: 0 })
  expect(peer.closedFor).toBeUndefined()
})

test('the same connection a second time is a replay', async () => {
  const exchange: readonly Frame[] = vectors.tlv.first
  const world = courierWorld({ trust: certificateTrust })
  world.clock.nowMs = vectors.constants.firstNonceMs
  for (const expected of [undefined, 'rejected']) {
    const peer = new Peer(world)
    peer.bytes(bytes(exchange[0]!.hex))
    await settled()
    expect(peer.closedFor).toBe(expected)
  }
  expect(world.host.counters.rejected).toEqual({ 'nonce reused': 1 })
})
