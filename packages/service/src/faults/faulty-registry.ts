import type { Registry, TokenRecord } from '../registry/registry.ts'
import type { FaultFacts } from './active-rule.ts'
import type { FaultPlace } from './fault-kinds.ts'
import type { Faults } from './faults.ts'

type TokenLookup = Pick<Registry, 'cachedToken' | 'findToken'>

/** The registry as a gateway sees it: with device tokens that are invalid from the moment that a rule names. */
export function faultyRegistry(registry: TokenLookup, faults: Faults, place: FaultPlace): TokenLookup {
  return {
    cachedToken(token) {
      const record = registry.cachedToken(token)
      return record === undefined || faults.plan === undefined
        ? record
        : withFaults(record, token, faults, place)
    },
    findToken(token, found) {
      registry.findToken(token, (error, record) => {
        if (record === undefined || faults.plan === undefined) found(error, record)
        else found(error, withFaults(record, token, faults, place))
      })
    },
  }
}

function withFaults(record: TokenRecord, token: string, faults: Faults, place: FaultPlace): TokenRecord {
  const nowMs = faults.now()
  for (const active of faults.plan?.ofTokens(place) ?? []) {
    const { fault } = active.rule
    if (fault.kind !== 'tokenInvalid' || nowMs < fault.at) continue
    const facts: FaultFacts = {
      connection: faults,
      connectionNumber: 0,
      clientAddress: '',
      topic: record.topic,
      token: token.toLowerCase(),
      teamId: '',
      keyId: '',
    }
    // A record out of the cache makes its text when asked, which a spread does not copy.
    if (active.meets(facts, nowMs)) return { ...record, token: record.token, inactiveSinceMs: fault.at }
  }
  return record
}
