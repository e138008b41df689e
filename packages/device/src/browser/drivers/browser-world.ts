/** The clock and the randomness of a page. */
export const browserWorld = {
  now: () => Date.now(),
  random: (bytes: number): Uint8Array => crypto.getRandomValues(new Uint8Array(bytes)),
} as const
