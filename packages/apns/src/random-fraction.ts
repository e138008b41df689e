/** A number from 0 up to 1 from four random bytes. */
export const randomFraction = (random: (bytes: number) => Uint8Array): number => {
  const bytes = random(4)
  return (((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0) / 2 ** 32
}
