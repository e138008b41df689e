import { createHash } from 'node:crypto'
import type { StoredMessage } from '../../src/store/stored-message.ts'
import { type Trace, type TracedMessage, untraced } from '../../src/trace/trace.ts'

/** The stages after which nothing more happens to a notification. */
const ends = new Set(['replaced', 'expired', 'discarded', 'acknowledged'])

/** Notes what delivery tells, by the names of notifications. */
export class RecordingTrace implements Trace {
  /** Such as `stored offline`, in order, by name. */
  readonly stages = new Map<string, string[]>()
  readonly inactiveTokens: string[] = []
  readonly #names = new Map<string, string>()

  /** The stages of one notification, `received` apart. */
  of(name: string): readonly string[] {
    return (this.stages.get(name) ?? []).slice(1)
  }

  /** Those that did not come to exactly one end, with what became of them. */
  endsOtherThanOnce(names: readonly string[]): string[] {
    const isEnd = (stage: string) => ends.has(stage.split(' ')[0]!)
    const wrong = names.filter((name) => this.of(name).filter(isEnd).length !== 1)
    return wrong.map((name) => `${name}: ${this.of(name).join(', ')}`)
  }

  rejected = untraced.rejected
  reported = untraced.reported
  broadcast = untraced.broadcast

  received(message: StoredMessage): void {
    const name = new TextDecoder().decode(message.payload).trimEnd()
    this.#names.set(keyOf(message), name)
    this.stages.set(name, ['received'])
  }
  stored(message: TracedMessage, why: string): void {
    this.#note(message, `stored ${why}`)
  }
  replaced(message: TracedMessage, by: Uint8Array): void {
    this.#note(message, `replaced by ${this.#names.get(Buffer.from(by).toString('hex'))}`)
  }
  expired(message: TracedMessage): void {
    this.#note(message, 'expired')
  }
  discarded(message: TracedMessage, why: string, isFromStorage: boolean): void {
    this.#note(message, `discarded ${why}${isFromStorage ? ' from storage' : ''}`)
  }
  sent(message: TracedMessage, isFromStorage: boolean): void {
    this.#note(message, isFromStorage ? 'sent from storage' : 'sent')
  }
  acknowledged(message: TracedMessage, status: number, isFromStorage: boolean): void {
    this.#note(message, `acknowledged ${status}${isFromStorage ? ' from storage' : ''}`)
  }
  tokenInactive(token: Uint8Array): void {
    this.inactiveTokens.push(Buffer.from(token).toString('hex'))
  }

  #note(message: TracedMessage, stage: string): void {
    // One that was accepted by another process has no name here.
    this.stages.get(this.#names.get(keyOf(message)) ?? '')?.push(stage)
  }
}

/** An apns-id of its own for each name. */
export function apnsIdFor(name: string): string {
  const hex = createHash('md5').update(name).digest('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

function keyOf(message: TracedMessage): string {
  return Buffer.from(message.apnsId).toString('hex')
}
