/** What a packed attribute can hold. Integers are numbers where they fit one exactly, else bigints. */
export type PackedValue = Uint8Array | string | number | bigint | boolean | PackedValue[] | PackedDictionary

export type PackedDictionary = Map<string, PackedValue>

export interface PackedAttribute {
  /** Field id of the courier's message table. */
  id: number
  value: PackedValue
  /** Whether the value goes through the value table; only encoders need to say it. */
  cached?: boolean
}

export interface PackedFrame {
  command: number
  attributes: PackedAttribute[]
}

/** Dictionary keys whose values go through the value table. */
export const packedCachedKeys: ReadonlySet<string> = new Set([
  'sT',
  'tP',
  'ua',
  't',
  'sP',
  'E',
  'H',
  'cT',
  'sI',
])

/**
 * First bytes of the packed encoding. A tagged number of `bits` bits sits in the low bits of the byte that
 * carries the tag; where all those bits are 1 the rest follows as a varint.
 */
export const packedTags = {
  data: { tag: 0x00, bits: 6 },
  string: { tag: 0x40, bits: 5 },
  smallInteger: { tag: 0x80, bits: 5 },
  integer: { tag: 0xa0, bits: 3 },
  dictionary: { tag: 0xc0, bits: 4 },
  array: { tag: 0xd0, bits: 4 },
  boolean: { tag: 0xe0, bits: 1 },
  /** A key that follows literally and joins the key table. */
  newKey: { tag: 0x10, bits: 4 },
  /** A key by its place in the key table. */
  knownKey: { tag: 0x20, bits: 5 },
  /** A plain count, as frame lengths and table places are. */
  count: { tag: 0x00, bits: 8 },
} as const

/** Set in the first byte of an integer below zero. */
export const packedNegative = 0x08
/** Set on a key whose value follows and joins the value table. */
export const packedValueCached = 0x40
/** Set on a key whose value is named by its place in the value table. */
export const packedValueKnown = 0x80
