import type { Fault, FaultRule } from './fault-rule.ts'

/** The listeners that can have trouble. */
export const faultPlaces = ['http2', 'binary', 'courier'] as const
export type FaultPlace = (typeof faultPlaces)[number]

/** What each kind can do: where, and whether it can concern a connection as a whole. */
export const faultKinds = {
  goaway: { places: ['http2'], connections: 'no' },
  close: { places: faultPlaces, connections: 'yes' },
  latency: { places: faultPlaces, connections: 'yes' },
  halfOpen: { places: faultPlaces, connections: 'yes' },
  slowReader: { places: faultPlaces, connections: 'yes' },
  slowWriter: { places: faultPlaces, connections: 'yes' },
  answer: { places: ['http2', 'binary'], connections: 'no' },
  expiredCertificate: { places: faultPlaces, connections: 'only' },
  clockSkew: { places: ['http2'], connections: 'no' },
  tokenInvalid: { places: ['http2', 'binary'], connections: 'no' },
  resetStream: { places: ['http2'], connections: 'no' },
  settings: { places: ['http2'], connections: 'only' },
  pingUnanswered: { places: ['http2'], connections: 'yes' },
} as const satisfies Record<
  Fault['kind'],
  { readonly places: readonly FaultPlace[]; readonly connections: 'no' | 'yes' | 'only' }
>

/** The fields of a match that only a request can tell. */
export const requestFields = ['app', 'topic', 'teamId', 'keyId', 'token'] as const

/** True for a rule that looks at connections when they open, and not at their requests. */
export function concernsConnections(rule: FaultRule): boolean {
  const { connections } = faultKinds[rule.fault.kind]
  if (connections !== 'yes') return connections === 'only'
  if (rule.where === 'courier') return true
  if (rule.fault.kind === 'latency' && rule.where === 'http2') return false
  const { match } = rule
  const isLate = 'when' in rule.fault && rule.fault.when === 'afterAccepting'
  const countsRequests = match.perConnection === true
  return !isLate && !countsRequests && requestFields.every((field) => match[field] === undefined)
}

/** True for what a connection meets before its TLS handshake. */
export function isBeforeHandshake(rule: FaultRule): boolean {
  return (
    rule.fault.kind === 'expiredCertificate' || (rule.fault.kind === 'close' && concernsConnections(rule))
  )
}
