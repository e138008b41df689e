/** Who sends a message: the device or the courier. */
export type CourierSender = 'device' | 'courier'

/** The JavaScript value of each kind of field. */
export interface FieldValues {
  u8: number
  u16: number
  u32: number
  u64: bigint
  /** A u64 of milliseconds since 1970, which fits a number. */
  milliseconds: number
  bytes: Uint8Array
  /** UTF-8. */
  text: string
  /** A decimal number written as text, as keep-alive intervals are. */
  decimal: number
  /** A failed connection attempt: u32 absolute error code, u16 how often. */
  failure: { code: number; count: number }
}

export type FieldKind = keyof FieldValues

/** One protocol fact: which field of a message holds what. */
export interface FieldRow {
  readonly id: number
  readonly kind: FieldKind
  /** The field may repeat; its value is a list. */
  readonly many?: true
  /** The message means nothing without it. */
  readonly required?: true
  /** The packed framing puts its values into the value table. */
  readonly cached?: true
}

/** One protocol fact: a command, who sends it, and its fields in the order in which we write them. */
export interface MessageRow {
  readonly command: number
  readonly from: CourierSender | 'both'
  readonly fields: Readonly<Record<string, FieldRow>>
}

type Value<F extends FieldRow> = F extends { many: true }
  ? readonly FieldValues[F['kind']][]
  : FieldValues[F['kind']]

type Fields = Readonly<Record<string, FieldRow>>

type RequiredFields<F extends Fields> = {
  [K in keyof F as F[K] extends { required: true } ? K : never]: Value<F[K]>
}

type OptionalFields<F extends Fields> = {
  [K in keyof F as F[K] extends { required: true } ? never : K]?: Value<F[K]>
}

type Flat<T> = { [K in keyof T]: T[K] }

/** The TypeScript message that a row of the table describes. */
export type MessageShape<Type, Row extends MessageRow> = Flat<
  { type: Type } & RequiredFields<Row['fields']> & OptionalFields<Row['fields']>
>
