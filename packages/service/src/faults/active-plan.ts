import type { ActiveRule } from './active-rule.ts'
import { concernsConnections, type FaultPlace } from './fault-kinds.ts'

type ByPlace = Readonly<Record<FaultPlace, readonly ActiveRule[]>>

/** The rules in force, sorted by who asks them. */
export class ActivePlan {
  /** All of them, in order. */
  readonly rules: readonly ActiveRule[]
  readonly #connections: ByPlace
  readonly #requests: ByPlace
  readonly #tokens: ByPlace

  constructor(rules: readonly ActiveRule[]) {
    this.rules = rules
    const ofTokens = ({ rule }: ActiveRule) => rule.fault.kind === 'tokenInvalid'
    this.#connections = byPlace(rules.filter(({ rule }) => concernsConnections(rule)))
    this.#tokens = byPlace(rules.filter(ofTokens))
    this.#requests = byPlace(rules.filter((one) => !concernsConnections(one.rule) && !ofTokens(one)))
  }

  /** Rules that a connection is measured by when it opens. */
  ofConnections(place: FaultPlace): readonly ActiveRule[] {
    return this.#connections[place]
  }

  /** Rules that each request (or notification of the binary protocol) is measured by. */
  ofRequests(place: FaultPlace): readonly ActiveRule[] {
    return this.#requests[place]
  }

  /** Rules that make device tokens invalid. */
  ofTokens(place: FaultPlace): readonly ActiveRule[] {
    return this.#tokens[place]
  }
}

function byPlace(rules: readonly ActiveRule[]): ByPlace {
  const at = (place: FaultPlace) => rules.filter(({ rule }) => rule.where === place)
  return { http2: at('http2'), binary: at('binary'), courier: at('courier') }
}
