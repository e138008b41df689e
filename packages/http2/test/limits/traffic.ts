export const many = (count: number, make: (at: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, at) => make(at)))

/** The id of a client's stream, counted from 0. */
export const streamId = (at: number): number => at * 2 + 1

/** What a server's log says of a peer that went above a limit. */
export const calm = 'end limit ENHANCE_YOUR_CALM'
