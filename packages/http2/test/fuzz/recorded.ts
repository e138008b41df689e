import { readFileSync } from 'node:fs'

interface Recorded<Bytes> {
  /** What clients sent from their preface on, by the name of the client. */
  readonly clients: Readonly<Record<string, Bytes>>
  /** What servers answered to three requests, by the name of the server. */
  readonly servers: Readonly<Record<string, Bytes>>
}

const file: Recorded<string> = JSON.parse(readFileSync(new URL('recorded.json', import.meta.url), 'utf8'))

/** What others have said on the wire. */
export const recorded: Recorded<Buffer> = { clients: decoded(file.clients), servers: decoded(file.servers) }

function decoded(texts: Readonly<Record<string, string>>): Record<string, Buffer> {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text, 'base64')]))
}
