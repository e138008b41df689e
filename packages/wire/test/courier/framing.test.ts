import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type CourierMessage,
  chosenCourierAlpn,
  courierFraming,
  type MessageOf,
  SharedMessage,
} from '../../src/courier/index.ts'
import { arbitraryMessage, arbitraryMessageFrom } from './arbitrary-message.ts'

describe('the name that a courier answers', () => {
  test.each([
    [['apns-pack-v1', 'apns-security-v3'], 'apns-pack-v1'],
    [['apns-security-v3', 'apns-pack-v1'], 'apns-pack-v1'],
    [['apns-security-v3', 'apns-pack-v1:4096:2048'], 'apns-pack-v1:4096:2048'],
    [['apns-pack-v1:9999999:4096', 'apns-security-v3'], 'apns-security-v3'],
    [['apns-pack-v1:9999999:4096', 'apns-pack-v1'], 'apns-pack-v1'],
    [['apns-security-v2', 'apns-security-v3'], 'apns-security-v3'],
    [['h2'], undefined],
    [[], undefined],
  ])('%j → %s', (offered, chosen) => {
    expect(chosenCourierAlpn(offered)).toBe(chosen)
  })
})

test.each([
  ['apns-pack-v1', true],
  ['apns-pack-v1:64:128', true],
  ['apns-security-v3', false],
  ['', false],
  [false, false],
] as const)('%s is packed: %s', (alpn, isPacked) => {
  expect(courierFraming('device', alpn).isPacked).toBe(isPacked)
})

describe.each(['apns-pack-v1', 'apns-pack-v1:100:70', 'apns-security-v3'])('over %s', (alpn) => {
  test('both ends agree on all messages, each direction with a table of its own', () => {
    const talk = fc.array(
      fc.oneof(
        arbitraryMessageFrom('device').map((message) => ({ from: 'device' as const, message })),
        arbitraryMessageFrom('courier').map((message) => ({ from: 'courier' as const, message })),
      ),
      { maxLength: 12 },
    )
    fc.assert(
      fc.property(talk, (messages) => {
        const courier = courierFraming('device', alpn)
        const device = courierFraming('courier', alpn)
        for (const { from, message } of messages) {
          const [writer, reader] = from === 'device' ? [device, courier] : [courier, device]
          reader.push(writer.encode(message))
          expect(reader.next()).toEqual(message)
        }
      }),
    )
  })

  test('a message that is encoded once comes through among others on every connection', () => {
    const others = fc.array(arbitraryMessageFrom('courier'), { maxLength: 6 })
    fc.assert(
      fc.property(arbitraryMessage('notification'), others, others, (broadcast, before, after) => {
        const shared = new SharedMessage(broadcast as MessageOf<'notification'>)
        const frames = [0, 1].map(() => {
          const courier = courierFraming('device', alpn)
          const device = courierFraming('courier', alpn)
          const say = (message: CourierMessage) => device.push(courier.encode(message))
          for (const message of before) say(message)
          const frame = courier.encodeShared(shared)
          device.push(frame)
          for (const message of after) say(message)
          expect([...before, broadcast, ...after].map(() => device.next())).toEqual([
            ...before,
            broadcast,
            ...after,
          ])
          return frame
        })
        expect(frames[0]).toBe(frames[1])
      }),
    )
  })
})
