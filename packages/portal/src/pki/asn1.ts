import * as asn1js from 'asn1js'

/** A piece of DER under construction. */
export type Asn1 = asn1js.AsnType

/** The DER of a value. */
export function toDer(value: Asn1): Uint8Array {
  return new Uint8Array(value.toBER())
}

/** DER that exists already, as a part of something larger. */
export function raw(der: Uint8Array): Asn1 {
  const { result, offset } = asn1js.fromBER(der)
  if (offset === -1) throw new Error(`these bytes are not ASN.1: ${result.error}`)
  return result
}

export const sequence = (...value: Asn1[]): Asn1 => new asn1js.Sequence({ value })
export const setOf = (...value: Asn1[]): Asn1 => new asn1js.Set({ value })
export const oid = (value: string): Asn1 => new asn1js.ObjectIdentifier({ value })
export const utf8 = (value: string): Asn1 => new asn1js.Utf8String({ value })
export const printable = (value: string): Asn1 => new asn1js.PrintableString({ value })
export const ia5 = (value: string): Asn1 => new asn1js.IA5String({ value })
export const octets = (bytes: Uint8Array): Asn1 => new asn1js.OctetString({ valueHex: bufferOf(bytes) })
export const integer = (value: number): Asn1 => new asn1js.Integer({ value })
export const boolean = (value: boolean): Asn1 => new asn1js.Boolean({ value })
export const nothing = (): Asn1 => new asn1js.Null()

/** A SEQUENCE of values that are DER already, for lists too long to be built value by value. */
export function derSequence(parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  // X.690 §8.1.3: below 128 the length itself, above the number of its bytes and then these.
  const digits = length.toString(16)
  const bytes = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex')
  const header = length < 128 ? [0x30, length] : [0x30, 0x80 | bytes.length, ...bytes]
  return new Uint8Array(Buffer.concat([Uint8Array.from(header), ...parts]))
}

/** An INTEGER from the bytes of a positive number whose first bit is 0. */
export function integerBytes(bytes: Uint8Array): Asn1 {
  return new asn1js.Integer({ valueHex: bufferOf(bytes) })
}

/** A BIT STRING; `unusedBits` counts the bits of the last byte that do not belong to it. */
export function bits(bytes: Uint8Array, unusedBits = 0): Asn1 {
  return new asn1js.BitString({ valueHex: bufferOf(bytes), unusedBits })
}

/** `[tag] { … }`, an explicit tag or an implicitly tagged SEQUENCE. */
export function tagged(tag: number, ...value: Asn1[]): Asn1 {
  return new asn1js.Constructed({ idBlock: { tagClass: 3, tagNumber: tag }, value })
}

/** `[tag]` around bytes, an implicitly tagged string. */
export function taggedBytes(tag: number, bytes: Uint8Array): Asn1 {
  return new asn1js.Primitive({ idBlock: { tagClass: 3, tagNumber: tag }, valueHex: bufferOf(bytes) })
}

/** A time in whole seconds. RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050. */
export function time(milliseconds: number): Asn1 {
  const valueDate = new Date(Math.floor(milliseconds / 1000) * 1000)
  return valueDate.getUTCFullYear() < 2050
    ? new asn1js.UTCTime({ valueDate })
    : new asn1js.GeneralizedTime({ valueDate })
}

/** The bytes in a buffer of their own, which is what asn1js and pkijs take. */
export function bufferOf(bytes: Uint8Array): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.length)
  new Uint8Array(copy).set(bytes)
  return copy
}
