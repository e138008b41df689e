/** Tells the process that measures what has happened, see `Child`. */
export function print(line: { readonly event: string; readonly [figure: string]: unknown }): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
