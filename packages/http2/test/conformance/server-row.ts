import { block, headers, requestBlock } from '../peer.ts'

/**
 * What a server must do with what a client may send, a row per rule: the bytes after a finished opening, and
 * what the server writes. `GOAWAY` rows name only the code; the connection must be over then.
 */
export interface Row {
  readonly clause: string
  readonly what: string
  readonly send: readonly Buffer[]
  /** `goaway CODE`, or the lines that the engine writes in answer (SETTINGS acknowledgements apart). */
  readonly expect: string | readonly string[]
}

export const wholeRequest = headers(1, requestBlock())
export const pathless: [string, string][] = [
  [':method', 'GET'],
  [':scheme', 'https'],
]
export const withFields = (...fields: [string, string][]) => headers(1, requestBlock(...fields))
export const reset1 = ['RST_STREAM 1 PROTOCOL_ERROR']
export const answered = ['HEADERS 1 END_STREAM']
export const fieldRow = (clause: string, what: string, ...fields: [string, string][]): Row => ({
  clause,
  what,
  send: [headers(1, block(...fields))],
  expect: reset1,
})
