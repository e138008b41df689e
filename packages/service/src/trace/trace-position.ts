/** A place in the journal: behind a record. Positions keep their meaning across restarts. */
export interface TracePosition {
  /** Number of the segment: the time of its begin in milliseconds, so that no number is ever used again. */
  readonly segment: number
  /** How many of its records lie before this place. */
  readonly index: number
}

/** The form in which clients keep a position. */
export function encodePosition({ segment, index }: TracePosition): string {
  return `${segment}.${index}`
}

/** Undefined for a text that is no position. */
export function decodePosition(text: string): TracePosition | undefined {
  const [, segment, index] = /^(\d{1,15})\.(\d{1,10})$/.exec(text) ?? []
  return segment === undefined ? undefined : { segment: Number(segment), index: Number(index) }
}
