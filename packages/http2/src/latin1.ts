interface Latin1Source {
  latin1Slice(start: number, end: number): string
}

/** The bytes as text, one character a byte. `toString('latin1')` does the same and looks the encoding up first. */
export const latin1 = (bytes: Buffer, start: number, end: number): string =>
  (bytes as unknown as Latin1Source).latin1Slice(start, end)
