import { randomBytes } from 'node:crypto'
import type { BinaryNotification } from '@carillon/wire'
import type { AcceptOutcome, Delivery, Notification } from '../../src/delivery/delivery.ts'
import { ApnsIds } from '../../src/gateway/apns-ids.ts'
import type { BinaryGateway } from '../../src/legacy/binary-gateway.ts'
import { type BinaryOptions, binaryOptionsDefault } from '../../src/legacy/binary-options.ts'
import { type BinaryLink, BinarySession } from '../../src/legacy/binary-session.ts'
import type { CertificateClient } from '../../src/legacy/certificate-client.ts'
import type { TokenRecord } from '../../src/registry/registry.ts'
import { type RejectedPush, untraced } from '../../src/trace/trace.ts'
import { bundleId, MemoryAuthority } from '../memory-authority.ts'

export const nowMs = 1_700_000_000_000
export const tokenBytes = new Uint8Array(32).fill(0xab)
export const payload = new TextEncoder().encode('{"aps":{"alert":"Hello"}}')

/** What one notification of the tests holds where nothing else is said. */
export function notification(changes: Partial<BinaryNotification> = {}): BinaryNotification {
  return {
    type: 'notification',
    command: 2,
    token: tokenBytes,
    payload,
    identifier: 1,
    expiration: 2_000_000_000,
    priority: 10,
    ...changes,
  }
}

/** A session with everything around it in memory; a test decides when lookups and delivery answer. */
export class SessionWorld implements Delivery, BinaryLink {
  readonly authority = new MemoryAuthority()
  readonly accepted: Notification[] = []
  readonly rejected: RejectedPush[] = []
  readonly discarded: string[] = []
  readonly troubles: string[] = []
  readonly listedAgain: Pick<TokenRecord, 'inactiveSinceMs'>[] = []
  /** Tokens are listed only when these are called; undefined: at once. */
  listings: (() => void)[] | undefined
  /** Trouble on purpose. */
  trouble: BinaryLink['trouble']
  /** In memory; `slow` ones are found when `answerLookups` is called. */
  readonly tokens = new Map<string, TokenRecord>()
  readonly slow = new Map<string, TokenRecord>()
  outcome: AcceptOutcome | 'later' = 'accepted'
  now = nowMs
  isPaused = false
  /** The packet as hex, 'closed' where there was none, undefined while the connection lives. */
  end: string | undefined
  readonly session: BinarySession
  readonly #waiting: ((outcome: AcceptOutcome) => void)[] = []
  readonly #lookups: ((error?: Error) => void)[] = []

  constructor(changes: { topics?: readonly string[]; options?: Partial<BinaryOptions> } = {}) {
    this.authority.setApp(bundleId)
    this.authority.setCertificate('01', 'good')
    this.addToken(tokenBytes)
    const { topics = [bundleId], options } = changes
    const client: CertificateClient = {
      facts: {
        bundleId,
        teamId: '',
        topics: topics.map((topic) => ({ topic, kinds: [] })),
        environments: ['sandbox'],
        serial: '01',
        notBefore: 0,
        notAfter: nowMs + 1000,
        subjectCommonName: '',
      },
      topics,
    }
    this.session = new BinarySession(this.#gateway({ ...binaryOptionsDefault, ...options }), client, this)
  }

  addToken(bytes: Uint8Array, changes: Partial<TokenRecord> = {}, tokens = this.tokens): void {
    const token = Buffer.from(bytes).toString('hex')
    const record = {
      token,
      tokenBytes: bytes,
      device: 1,
      bundleId,
      topic: bundleId,
      inactiveSinceMs: 0,
      askedDay: 19_000,
    }
    tokens.set(token, { ...record, ...changes })
  }

  accept<C>(taken: Notification, context: C, done: (context: C, outcome: AcceptOutcome) => void): void {
    if (this.outcome !== 'busy') this.accepted.push(taken)
    if (this.outcome === 'later') this.#waiting.push((outcome) => done(context, outcome))
    else done(context, this.outcome)
  }

  /** Settles the oldest notification that waits, or the one at `index`. */
  settle(outcome: AcceptOutcome = 'accepted', index = 0): void {
    this.#waiting.splice(index, 1)[0]!(outcome)
  }

  get unsettled(): number {
    return this.#waiting.length
  }

  answerLookups(error?: Error): void {
    for (const answer of this.#lookups.splice(0)) answer(error)
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
  }

  finish(packet: Uint8Array | undefined): void {
    if (this.end !== undefined) throw new Error('ended twice')
    this.end = packet === undefined ? 'closed' : Buffer.from(packet).toString('hex')
  }

  #gateway(options: BinaryOptions): BinaryGateway {
    return {
      environment: 'sandbox',
      authority: this.authority,
      registry: {
        cachedToken: (token) => this.tokens.get(token),
        findToken: (token, found) => {
          this.#lookups.push((error) => found(error, this.slow.get(token)))
        },
      },
      delivery: this,
      feedback: {
        listAgain: (token, done) => {
          this.listedAgain.push(token)
          if (this.listings === undefined) done()
          else this.listings.push(done)
        },
      },
      apnsIds: new ApnsIds((bytes) => randomBytes(bytes)),
      trace: {
        ...untraced,
        rejected: (push) => this.rejected.push(push),
        discarded: (message, why) => this.discarded.push(`${message.topic} ${why}`),
      },
      options,
      onTrouble: (sentence) => this.troubles.push(sentence),
      now: () => this.now,
    }
  }
}

/** The error packet as hex. */
export function packet(status: number, identifier: number): string {
  return `08${status.toString(16).padStart(2, '0')}${identifier.toString(16).padStart(8, '0')}`
}
