import type { Delivery } from '../delivery/delivery.ts'
import type { Faults } from '../faults/faults.ts'
import type { FeedbackList } from '../feedback/feedback-list.ts'
import type { ApnsIds } from '../gateway/apns-ids.ts'
import type { Registry } from '../registry/registry.ts'
import type { Trace } from '../trace/trace.ts'
import type { BinaryOptions } from './binary-options.ts'
import type { ClientCheck } from './certificate-client.ts'

/** What all binary connections of one environment share. */
export interface BinaryGateway extends ClientCheck {
  readonly registry: Pick<Registry, 'cachedToken' | 'findToken'>
  readonly delivery: Delivery
  readonly feedback: Pick<FeedbackList, 'listAgain'>
  readonly apnsIds: ApnsIds
  readonly trace: Trace
  readonly options: BinaryOptions
  /** Told of what should not happen, in one sentence. */
  readonly onTrouble: (sentence: string, cause: unknown) => void
  /** Trouble on purpose. */
  readonly faults?: Faults | undefined
}
