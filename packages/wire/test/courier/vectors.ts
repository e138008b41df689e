import { readFileSync } from 'node:fs'
import { hexBytes } from '../../src/bytes/index.ts'
import type { PackedValue } from '../../src/courier/index.ts'

interface VectorFile {
  constants: {
    baseToken: string
    topic: string
    topicSha1: string
    sanitySha1: Record<string, string>
    firstNonceMs: number
  }
  tlv: Record<'first' | 'resume', TlvVector[]>
  packed: Record<'encoderA' | 'encoderB', PackedVector[]>
}

export interface TlvVector {
  dir: 'D>S' | 'S>D'
  cmd: number
  hex: string
  fields: { id: number; hex: string }[]
}

export interface PackedVector {
  name: string
  hex: string
  decoded: { cmd: number; attrs: [id: number, value: VectorValue][] }
}

type VectorValue =
  | { data: string }
  | { string: string }
  | { int: number | string }
  | { bool: boolean }
  | { array: VectorValue[] }
  | { dict: [key: string, value: VectorValue][] }

export const vectors = JSON.parse(
  readFileSync(new URL('../vectors/courier.json', import.meta.url), 'utf8'),
) as VectorFile

export function vectorValue(value: VectorValue): PackedValue {
  if ('data' in value) return hexBytes(value.data)
  if ('string' in value) return value.string
  if ('bool' in value) return value.bool
  if ('array' in value) return value.array.map(vectorValue)
  if ('dict' in value) return new Map(value.dict.map(([key, item]) => [key, vectorValue(item)]))
  const number = BigInt(value.int)
  return Number.isSafeInteger(Number(number)) ? Number(number) : number
}
