import type { SharedMessage } from '@carillon/wire'
import { limits } from '../limits.ts'
import { type Broadcast, sharedBroadcast } from './broadcast.ts'
import type { Channel } from './channel.ts'
import type { Subscription } from './subscription.ts'

/** One broadcast on its way to the subscribers of its channel. */
interface Round {
  readonly message: SharedMessage
  readonly publishedUs: number
  readonly done: (delivered: number) => void
  delivered: number
}

/** The broadcasts of one channel that are not handed out yet, in order; the first one is under way. */
interface Outbox {
  readonly channel: Channel
  readonly rounds: Round[]
  left: IterableIterator<Subscription>
}

/**
 * Hands broadcasts to their subscribers, a bounded number in each turn of the event loop, so that a channel of ten
 * thousand devices holds nobody else up. Each broadcast is encoded once. Within a channel one follows the other;
 * channels take turns.
 */
export class FanOut {
  readonly #outboxes = new Map<Channel, Outbox>()
  readonly #nextTurn: (run: () => void) => void
  readonly #run = () => this.#turn()
  #isScheduled = false

  /** @param nextTurn calls back in the next turn of the event loop, behind what waits for input and output */
  constructor(nextTurn: (run: () => void) => void) {
    this.#nextTurn = nextTurn
  }

  /** @param done told when every subscriber was served, with how many there were */
  add(channel: Channel, broadcast: Broadcast, done: (delivered: number) => void): void {
    const { publishedUs } = broadcast
    const round: Round = { message: sharedBroadcast(broadcast, 'live'), publishedUs, done, delivered: 0 }
    const outbox = this.#outboxes.get(channel)
    if (outbox === undefined) {
      const left = channel.subscribers.values()
      this.#outboxes.set(channel, { channel, rounds: [round], left })
    } else outbox.rounds.push(round)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#nextTurn(this.#run)
  }

  #turn(): void {
    this.#isScheduled = false
    let budget: number = limits.subscribersPerTurnMax
    while (budget > 0) {
      const [outbox] = this.#outboxes.values()
      if (outbox === undefined) return
      budget -= this.#serve(outbox, Math.min(budget, share))
    }
    if (this.#outboxes.size > 0) this.#schedule()
  }

  /** Serves some subscribers of a channel, which then stands at the end of the line. @returns how many */
  #serve(outbox: Outbox, count: number): number {
    const { channel, rounds } = outbox
    const round = rounds[0]!
    this.#outboxes.delete(channel)
    for (let served = 0; served < count; served++) {
      // Whoever subscribes meanwhile is visited too, and skipped where it got the message from storage.
      const next = outbox.left.next()
      if (next.done === true) {
        rounds.shift()
        outbox.left = channel.subscribers.values()
        if (rounds.length > 0) this.#outboxes.set(channel, outbox)
        round.done(round.delivered)
        // A channel without subscribers costs something, too.
        return served + 1
      }
      if (next.value.send(round.message, round.publishedUs)) round.delivered++
    }
    this.#outboxes.set(channel, outbox)
    return count
  }
}

/** Subscribers that a channel gets served before the next channel's turn. */
const share = 64
