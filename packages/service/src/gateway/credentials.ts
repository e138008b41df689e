import type { PushType, Reason } from '@carillon/wire'
import type { AuthorityChange } from '../authority.ts'
import type { ProviderIdentity } from './provider-connection.ts'

/** What a connection has shown to be allowed to push, by provider tokens or by its client certificate. */
export interface Credentials {
  /** Step "authentication": runs for each request, so it must be cheap when nothing has changed. */
  authenticate(authorization: string, nowMs: number): Reason | undefined
  /** For operators. */
  readonly identity: ProviderIdentity
  /** The topic of a request without the header; '' where the header is needed. */
  readonly defaultTopic: string
  /** What the last successful `authenticate` was based on; another object means: ask `allowsTopic` again. */
  readonly grant: object | undefined
  /** Whether the key or certificate covers the topic, of whose app the team is given. */
  allowsTopic(topic: string, bundleId: string, teamId: string, pushType: PushType | undefined): boolean
  /** Why the connection has to end: what it had been accepted for is no longer good, and nothing can make it so. */
  isOver(nowMs: number): Reason | undefined
  /** Whether the change is about the key or certificate in use. */
  restsOn(change: AuthorityChange): boolean
}
