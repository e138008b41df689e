import fc from 'fast-check'
import { type CourierMessage, type CourierMessageType, courierMessages } from '../../src/courier/index.ts'
import type { CourierSender, FieldKind, MessageRow } from '../../src/courier/message-row.ts'

const u32 = fc.nat(0xffff_ffff)
const kinds: Record<FieldKind, fc.Arbitrary<unknown>> = {
  u8: fc.nat(0xff),
  u16: fc.nat(0xffff),
  u32,
  u64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  milliseconds: fc.maxSafeNat(),
  bytes: fc.oneof(
    { weight: 8, arbitrary: fc.uint8Array({ maxLength: 70 }) },
    { weight: 1, arbitrary: fc.uint8Array({ minLength: 250, maxLength: 600 }) },
  ),
  text: fc.string({ unit: 'grapheme', maxLength: 40 }),
  decimal: fc.nat(),
  failure: fc.record({ code: u32, count: fc.nat(0xffff) }),
}

/** Any message of a type, every optional field there or not. */
export function arbitraryMessage(type: CourierMessageType): fc.Arbitrary<CourierMessage> {
  const row: MessageRow = courierMessages[type]
  const model: Record<string, fc.Arbitrary<unknown>> = { type: fc.constant(type) }
  const requiredKeys = ['type']
  for (const [name, field] of Object.entries(row.fields)) {
    const value = kinds[field.kind]
    model[name] = field.many ? fc.array(value, { minLength: 1, maxLength: 4 }) : value
    if (field.required) requiredKeys.push(name)
  }
  return fc.record(model, { requiredKeys, noNullPrototype: true }) as unknown as fc.Arbitrary<CourierMessage>
}

/** Every message type with the sides that send it. */
export const messageDirections = (
  Object.entries(courierMessages) as [CourierMessageType, MessageRow][]
).flatMap(([type, row]): [type: CourierMessageType, from: CourierSender][] =>
  row.from === 'both'
    ? [
        [type, 'device'],
        [type, 'courier'],
      ]
    : [[type, row.from]],
)

/** Any message that a side sends. */
export function arbitraryMessageFrom(from: CourierSender): fc.Arbitrary<CourierMessage> {
  return fc.oneof(
    ...messageDirections.filter(([, sender]) => sender === from).map(([type]) => arbitraryMessage(type)),
  )
}
