import { bundleIdOf } from '@carillon/wire'
import type { FaultRule } from './fault-rule.ts'
import { seededRandom } from './seeded-random.ts'

/** What is known where a rule is asked; '' for what this request or connection does not tell. */
export interface FaultFacts {
  /** Stands for the connection; counts are kept by it. */
  readonly connection: object
  /** Connections of its listener since the service started, this one included. */
  readonly connectionNumber: number
  readonly clientAddress: string
  readonly topic: string
  /** Hex, lower case. */
  readonly token: string
  readonly teamId: string
  readonly keyId: string
}

/** A rule in force, with its counters and its own generator. */
export class ActiveRule {
  readonly rule: FaultRule
  /** Requests or connections that had all that the rule asks for, whether they met the fault or not. */
  seen = 0
  hits = 0
  lastHitMs: number | undefined
  /** Draws a number from 0 up to 1. */
  readonly random: () => number
  readonly #connectionsBefore: number
  readonly #seenOn = new WeakMap<object, number>()

  /** @param connectionsBefore connections that the listener had before the rule was set */
  constructor(rule: FaultRule, seed: number, connectionsBefore: number) {
    this.rule = rule
    this.random = seededRandom(`${seed}/${rule.id}`)
    this.#connectionsBefore = connectionsBefore
  }

  /** Asks the rule, and counts. */
  meets(facts: FaultFacts, nowMs: number): boolean {
    if (!this.#describes(facts, nowMs)) return false
    const { after = 0, every = 1, times, probability = 1 } = this.rule.match
    const seen = this.#count(facts.connection)
    if (seen <= after || (seen - after) % every !== 0) return false
    if (times !== undefined && this.hits >= times) return false
    if (probability < 1 && this.random() >= probability) return false
    this.hits += 1
    this.lastHitMs = nowMs
    return true
  }

  #count(connection: object): number {
    this.seen += 1
    if (this.rule.match.perConnection !== true) return this.seen
    const seen = (this.#seenOn.get(connection) ?? 0) + 1
    this.#seenOn.set(connection, seen)
    return seen
  }

  #describes(facts: FaultFacts, nowMs: number): boolean {
    const { match } = this.rule
    if (match.from !== undefined && nowMs < match.from) return false
    if (match.until !== undefined && nowMs >= match.until) return false
    if (match.topic !== undefined && match.topic !== facts.topic) return false
    if (match.app !== undefined && (facts.topic === '' || bundleIdOf(facts.topic) !== match.app)) return false
    if (match.token !== undefined && match.token !== facts.token) return false
    if (match.teamId !== undefined && match.teamId !== facts.teamId) return false
    if (match.keyId !== undefined && match.keyId !== facts.keyId) return false
    if (match.clientAddress !== undefined && match.clientAddress !== facts.clientAddress) return false
    return (
      match.connection === undefined || match.connection === facts.connectionNumber - this.#connectionsBefore
    )
  }
}
