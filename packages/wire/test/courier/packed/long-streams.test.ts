import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type CourierMessage,
  courierFraming,
  type MessageFromCourier,
  SharedMessage,
} from '../../../src/index.ts'
import { arbitraryMessageFrom } from '../arbitrary-message.ts'

/** What a connection is asked to write: messages, those that are shared with others, and one that cannot be written. */
const asked = fc.oneof(
  {
    weight: 6,
    arbitrary: arbitraryMessageFrom('courier').map((message) => ({ how: 'own' as const, message })),
  },
  {
    weight: 2,
    arbitrary: arbitraryMessageFrom('courier').map((message) => ({ how: 'shared' as const, message })),
  },
  {
    weight: 1,
    arbitrary: arbitraryMessageFrom('courier').map((message) => ({ how: 'broken' as const, message })),
  },
)

test.each([0, 40, 64, 200, 4096])(
  'a long stream over tables of %d bytes stays in step, also behind messages that could not be written',
  (tableBytes) => {
    fc.assert(
      fc.property(fc.array(asked, { maxLength: 120, size: 'max' }), (all) => {
        const alpn = `apns-pack-v1:${tableBytes}:${tableBytes}`
        const courier = courierFraming('device', alpn)
        const device = courierFraming('courier', alpn)
        const sent: CourierMessage[] = []
        for (const { how, message } of all) {
          if (how === 'broken') {
            // The command has been read and some of its fields were written when the last one turns out to be no number.
            const broken = { ...message, type: 'notification', token: message.type, expirySeconds: 2 ** 60 }
            expect(() => courier.encode(broken as never)).toThrow()
            continue
          }
          const frame =
            how === 'own' ? courier.encode(message) : courier.encodeShared(new SharedMessage(message))
          device.push(frame)
          sent.push(message)
        }
        const heard: MessageFromCourier[] = []
        for (let message = device.next(); message; message = device.next()) heard.push(message)
        expect(heard).toEqual(sent)
      }),
      { numRuns: 150 },
    )
  },
)
