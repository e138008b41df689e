import type { AuthorityChange } from '../authority.ts'
import { limits } from '../limits.ts'
import type { ProviderConnection } from './provider-connection.ts'

/** What the table needs of a connection. */
export interface TabledConnection {
  readonly openedAtMs: number
  /** Something that it may rest upon has changed. */
  onAuthorityChange(change: AuthorityChange): void
  /** It has to go, for the sake of others. */
  dismiss(): void
  describe(): ProviderConnection
}

/** The provider connections of one gateway. Those that have not shown yet who they are have a limit of their own. */
export class ConnectionTable {
  readonly #all = new Set<TabledConnection>()
  /** In the order in which they came. */
  readonly #unproven = new Set<TabledConnection>()

  get size(): number {
    return this.#all.size
  }

  /** Those that came first come first. */
  *list(): Iterable<ProviderConnection> {
    for (const connection of this.#all) yield connection.describe()
  }

  get unprovenCount(): number {
    return this.#unproven.size
  }

  add(connection: TabledConnection): void {
    this.#all.add(connection)
  }

  /** A connection that has shown nothing yet. */
  addUnproven(connection: TabledConnection, nowMs: number): void {
    this.#unproven.add(connection)
    if (this.#unproven.size <= limits.unprovenProvidersMax) return
    const [first] = this.#unproven
    // Of many that come back at once those that came first get through; silent ones make room.
    const hadItsTime = first !== undefined && nowMs - first.openedAtMs >= limits.unprovenProviderMsMin
    const dismissed = hadItsTime ? first : connection
    this.#unproven.delete(dismissed)
    dismissed.dismiss()
  }

  proven(connection: TabledConnection): void {
    this.#unproven.delete(connection)
  }

  delete(connection: TabledConnection): void {
    this.#all.delete(connection)
    this.#unproven.delete(connection)
  }

  onAuthorityChange(change: AuthorityChange): void {
    if (change.kind === 'app') return
    for (const connection of this.#all) connection.onAuthorityChange(change)
  }
}
