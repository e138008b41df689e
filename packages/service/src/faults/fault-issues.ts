import { knownReasonOf } from '@carillon/wire'
import { binaryStatusOf } from './binary-status.ts'
import { concernsConnections, faultKinds, requestFields } from './fault-kinds.ts'
import type { Fault, FaultRule } from './fault-rule.ts'

/** One thing that is wrong with a rule: the field, and what to do. */
export interface FaultIssue {
  readonly path: string[]
  readonly message: string
}

/** What the fields of a rule do not say each for itself: a rule that could never be met, or only in part, is refused. */
export function* faultIssues(rule: FaultRule): Generator<FaultIssue> {
  const { places, connections } = faultKinds[rule.fault.kind]
  if (!(places as readonly string[]).includes(rule.where))
    yield {
      path: ['where'],
      message: `${rule.fault.kind} is for ${places.join(', ')}: name one of these`,
    }
  if (connections === 'only' || rule.where === 'courier')
    yield* untold(rule, [...requestFields, 'perConnection'], 'a connection does not tell this when it opens')
  if (rule.where === 'courier' && 'when' in rule.fault && rule.fault.when === 'afterAccepting')
    yield { path: ['fault', 'when'], message: 'device connections are met when they open: leave it out' }
  if (rule.where === 'binary')
    yield* untold(rule, ['teamId', 'keyId'], 'there is no provider token on this port')
  if (rule.fault.kind === 'tokenInvalid')
    yield* untold(rule, notOfTokens, 'the token is invalid for everybody who sends to it')
  yield* countIssues(rule)
  if (rule.where === 'binary' && rule.fault.kind === 'answer') yield* packetIssues(rule.fault)
  else yield* contentIssues(rule.fault)
}

type MatchField = keyof FaultRule['match']

const notOfTokens = ['teamId', 'keyId', 'clientAddress', 'connection', 'perConnection'] as const

function* untold({ match }: FaultRule, fields: readonly MatchField[], why: string): Generator<FaultIssue> {
  const told = fields.find((field) => match[field] !== undefined)
  if (told !== undefined) yield { path: ['match', told], message: `${why}: leave it out` }
}

function* countIssues(rule: FaultRule): Generator<FaultIssue> {
  const { connection, after = 0, every = 1, from, until } = rule.match
  if (connection !== undefined && (after > 0 || every > 1) && concernsConnections(rule))
    yield {
      path: ['match', after > 0 ? 'after' : 'every'],
      message: 'there is one connection of this number: leave it out',
    }
  if (from !== undefined && until !== undefined && until <= from)
    yield { path: ['match', 'until'], message: 'give a time after from' }
}

/** Of an answer on the binary port, where it is six bytes. */
function* packetIssues(told: Extract<Fault, { kind: 'answer' }>): Generator<FaultIssue> {
  if (binaryStatusOf(told.reason ?? '') === undefined)
    yield {
      path: ['fault', 'reason'],
      message: 'give a status of the error packet, such as shutdown or invalidToken',
    }
  for (const field of ['status', 'retryAfter', 'timestamp', 'body'] as const)
    if (told[field] !== undefined)
      yield { path: ['fault', field], message: 'an error packet has no room for this: leave it out' }
}

function* contentIssues(told: Fault): Generator<FaultIssue> {
  if (told.kind === 'latency' && told.msMax !== undefined && told.msMax < told.ms)
    yield { path: ['fault', 'msMax'], message: 'give at least ms' }
  if (told.kind === 'expiredCertificate' && (told.certPem === undefined) !== (told.keyPem === undefined))
    yield { path: ['fault'], message: 'give certPem and keyPem, or neither' }
  if (told.kind === 'settings' && Object.keys(told).length === 1)
    yield { path: ['fault'], message: 'give at least one setting, such as initialWindowSize' }
  if (told.kind === 'answer') {
    if (told.reason === undefined && told.status === undefined)
      yield { path: ['fault'], message: 'give a reason, a status, or both' }
    if (told.reason !== undefined && told.status === undefined && knownReasonOf(told.reason) === undefined)
      yield { path: ['fault', 'reason'], message: 'it is not in the reason table: give its status, too' }
  }
}
