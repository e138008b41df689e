import type { HeaderList } from '@carillon/http2'
import { bearerTokenOf, header, parseGatewayPath } from '@carillon/wire'
import { decodeProviderToken } from '../gateway/provider-token.ts'
import type { FaultFacts } from './active-rule.ts'

/** Reads from the headers of a request what rules look at. One object for a connection, filled anew each time. */
export class RequestFacts implements FaultFacts {
  readonly connection: object
  readonly connectionNumber: number
  readonly clientAddress: string
  topic = ''
  token = ''
  teamId = ''
  keyId = ''
  readonly #defaultTopic: string
  #authorization = ''

  constructor(connection: FaultFacts, defaultTopic: string) {
    this.connection = connection.connection
    this.connectionNumber = connection.connectionNumber
    this.clientAddress = connection.clientAddress
    this.#defaultTopic = defaultTopic
  }

  of(list: HeaderList): this {
    this.topic = ''
    this.token = ''
    let authorization = ''
    for (let index = 0; index < list.length; index += 2) {
      const value = list[index + 1]!
      switch (list[index]) {
        case header.path:
          this.#read(value)
          break
        case header.apnsTopic:
          this.topic = value
          break
        case header.authorization:
          authorization = value
      }
    }
    if (this.topic === '') this.topic = this.#defaultTopic
    if (authorization !== this.#authorization) this.#readToken(authorization)
    return this
  }

  #read(path: string): void {
    const parsed = parseGatewayPath(path)
    if (parsed?.api === 'device') this.token = parsed.token.toLowerCase()
    // Channel requests and broadcasts name their app in the path, and have no topic.
    else if (parsed !== undefined) this.topic = parsed.bundleId
  }

  /** Believed as it stands: whether it is signed is checked where it counts. */
  #readToken(authorization: string): void {
    this.#authorization = authorization
    const token = decodeProviderToken(bearerTokenOf(authorization))
    this.teamId = token?.teamId ?? ''
    this.keyId = token?.keyId ?? ''
  }
}
