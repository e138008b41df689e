import { type ZodExactOptional, type ZodType, z } from 'zod'

/** What the printed configuration says of a setting. */
export interface SettingFacts {
  readonly description: string
  /** What holds where the setting is absent; the party that it is for knows it. */
  readonly default?: unknown
  /** The settings below stand elsewhere already. */
  readonly isRepeated?: boolean
}

const facts = z.registry<SettingFacts>()

/** One row of the configuration: its type, what holds without it, and what it is for. */
export function setting<Type extends ZodType>(
  type: Type,
  byDefault: unknown,
  description: string,
): ZodExactOptional<Type> {
  const row = type.exactOptional()
  facts.add(row, { description, default: byDefault })
  return row
}

/** Settings under one heading. A heading without settings is as good as none. */
export function section<Shape extends Record<string, ZodType>>(
  description: string,
  shape: Shape,
  isRepeated = false,
) {
  const row = z.preprocess((value) => value ?? {}, z.strictObject(shape)).prefault({})
  facts.add(row, { description, isRepeated })
  return row
}

/** A word in the place of a whole section. */
export function orWord<Word extends string, Section extends ZodType>(word: Word, row: Section) {
  const either = z.union([z.literal(word), row])
  facts.add(either, facts.get(row)!)
  return either
}

export function factsOf(row: ZodType): SettingFacts | undefined {
  return facts.get(row)
}

/** The settings under a heading, or undefined for a single setting. */
export function shapeOf(row: ZodType): Record<string, ZodType> | undefined {
  const { innerType, out, options, shape } = row._zod.def as unknown as Wrapping
  if (shape !== undefined) return shape
  const below = innerType ?? out ?? options?.at(-1)
  return below === undefined ? undefined : shapeOf(below)
}

interface Wrapping {
  readonly innerType?: ZodType
  readonly out?: ZodType
  readonly options?: readonly ZodType[]
  readonly shape?: Record<string, ZodType>
}
