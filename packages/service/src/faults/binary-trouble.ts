import type { TLSSocket } from 'node:tls'
import type { BinaryStatusName } from '@carillon/wire'
import type { ActiveRule, FaultFacts } from './active-rule.ts'
import { binaryStatusOf } from './binary-status.ts'
import { troubleSocket } from './drivers/socket-trouble.ts'
import { connectionFacts } from './drivers/watch-listener.ts'
import type { Faults } from './faults.ts'

/**
 * What becomes of a notification of the binary protocol: an error packet, or the end of the connection before it is
 * accepted (`over`) or after.
 */
export type BinaryFate = { readonly status: BinaryStatusName } | 'over' | 'overAfterwards'

/** The trouble of one binary connection. */
export class BinaryTrouble {
  readonly #faults: Faults
  readonly #socket: TLSSocket
  readonly #opened: FaultFacts
  #after: ActiveRule | undefined

  constructor(faults: Faults, socket: TLSSocket) {
    this.#faults = faults
    this.#socket = socket
    this.#opened = connectionFacts(socket, faults.numberOf('binary', socket))
  }

  /** Asks the rules about a notification that is good; undefined where it is accepted as usual. */
  meet(topic: string, token: string): BinaryFate | undefined {
    const nowMs = this.#faults.now()
    const facts: FaultFacts = { ...this.#opened, topic, token }
    for (const active of this.#faults.plan?.ofRequests('binary') ?? []) {
      if (!active.meets(facts, nowMs)) continue
      const fate = this.#suffer(active)
      if (fate !== undefined) return fate
    }
    return undefined
  }

  /** The notification that was to be the last one is accepted. */
  end(): void {
    if (this.#after !== undefined) this.#trouble(this.#after)
  }

  #suffer(active: ActiveRule): BinaryFate | undefined {
    const { fault } = active.rule
    switch (fault.kind) {
      case 'answer':
        return { status: binaryStatusOf(fault.reason ?? '') ?? 'processingError' }
      case 'close':
      case 'halfOpen':
        if (fault.when === 'afterAccepting') {
          this.#after = active
          return 'overAfterwards'
        }
        this.#trouble(active)
        return 'over'
      default:
        this.#trouble(active)
        return undefined
    }
  }

  #trouble(met: ActiveRule): void {
    troubleSocket(this.#socket, this.#faults, met)
  }
}
