import {
  bytesEqual,
  decodeChannelMark,
  type Environment,
  encodeChannelId,
  type MessageOf,
  type Payload,
  presentationOf,
  topicHash,
} from '@carillon/wire'
import type { ClientApp } from '../app/client-app.ts'
import { readPayload } from '../arrival/read-payload.ts'
import { UnderWay } from '../arrival/under-way.ts'
import type { Tell } from '../events.ts'
import type { DeviceState } from '../state/device-state.ts'
import type { KeptNotification, NotificationJournal } from '../state/notification-journal.ts'
import type { ChannelList, ListedChannel } from './channel-list.ts'

/** What broadcasts need of their device. */
export interface BroadcastHost {
  readonly state: DeviceState
  readonly journal: NotificationJournal
  readonly list: ChannelList
  appOf(bundleId: string): ClientApp
  /** The activity that joined a channel has ended. */
  leave(channel: ListedChannel): void
  readonly tell: Tell
  failed(error: unknown): void
}

/** The way of a broadcast on the device: on disk, shown once, handed to the app. It is not acknowledged. */
export class Broadcasts {
  readonly #host: BroadcastHost
  readonly #underWay = new UnderWay()

  constructor(host: BroadcastHost) {
    this.#host = host
  }

  /** Resolves when the broadcast is dealt with. */
  arrived(environment: Environment, message: MessageOf<'notification'>): Promise<void> {
    return this.#underWay.add(this.#arrive(environment, message))
  }

  /** Shows what was kept; false for what is no broadcast. */
  showKept(kept: KeptNotification): boolean {
    const place = placeOf(kept.apnsId)
    if (place === undefined) return false
    this.#show(kept, place)
    return true
  }

  /** Resolves when nothing is under way. */
  settled(): Promise<void> {
    return this.#underWay.settled()
  }

  async #arrive(environment: Environment, message: MessageOf<'notification'>): Promise<void> {
    const { journal, list, state } = this.#host
    try {
      const mark = decodeChannelMark(message.channel!)
      const app = state
        .apps(environment)
        .find(({ bundleId }) => bytesEqual(topicHash(bundleId), message.topicHash))
      const place = { channelId: encodeChannelId(mark.channelId), ns: String(mark.lastMessageNs) }
      const listed = app && list.find({ environment, bundleId: app.bundleId, ...place })
      // Unsubscribed while it was on its way, or shown already.
      if (!app || !listed || listed.seenNs === place.ns) return
      const payload = readPayload(message.payload)
      const kept = { apnsId: keptIdOf(place), bundleId: app.bundleId, payload }
      if ((await journal.keep(kept)) === 'new') this.#show(kept, place)
    } catch (error) {
      // The next broadcast takes its place.
      this.#host.failed(error)
    }
  }

  #show(kept: KeptNotification, { channelId, ns }: Place): void {
    const { journal, list, state } = this.#host
    const { apnsId, bundleId } = kept
    const environment = state.app(bundleId)?.environment
    const listed = environment && list.find({ environment, bundleId, channelId })
    if (!listed) return journal.markShown(apnsId)
    const payload = kept.payload as Payload
    const aps = (payload.aps ?? {}) as { readonly timestamp?: unknown; readonly event?: unknown }
    const timestamp = typeof aps.timestamp === 'number' ? aps.timestamp : listed.shownTimestamp
    // Apple: "Starting and updating Live Activities": of two updates the newer one counts, whenever they arrive.
    const isOutdated = timestamp < listed.shownTimestamp
    const app = this.#host.appOf(bundleId)
    const { state: appState, foreground, allowsAlerts } = app
    const shown = presentationOf(payload, { appState, foreground, allowsAlerts })
    if (!isOutdated) this.#host.tell({ event: 'broadcast', bundleId, channelId, payload, shown })
    journal.markShown(apnsId)
    const shownTimestamp = Math.max(timestamp, listed.shownTimestamp)
    list.advance(listed, { seenNs: ns, shownTimestamp }).catch((error) => this.#host.failed(error))
    if (isOutdated) return
    app.channels.deliver({ bundleId, channelId, payload, shown })
    if (aps.event === 'end' && listed.joinedBy === 'activity') this.#host.leave(listed)
  }
}

/** A message of a channel. */
interface Place {
  readonly channelId: string
  /** Nanoseconds in decimal. */
  readonly ns: string
}

/** Under what the journal keeps it: no notification has an id with this sign in it, nor has base64. */
function keptIdOf({ channelId, ns }: Place): string {
  return `${channelId}@${ns}`
}

function placeOf(keptId: string): Place | undefined {
  const [channelId, ns] = keptId.split('@')
  return channelId === undefined || ns === undefined ? undefined : { channelId, ns }
}
