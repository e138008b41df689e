import { limits } from '../limits.ts'
import { SharedWrite } from '../state/shared-write.ts'
import type { DeviceStorage } from './device-storage.ts'

/** A topic that a page has registered for. */
export interface BrowserTopic {
  readonly topic: string
  /** 8 bytes in hex. */
  readonly installation: string
  /** Lower-case hex; absent until the courier issued it. */
  readonly deviceToken?: string
}

/** A notification as it is kept until the page has it. */
export interface KeptPush {
  readonly apnsId: string
  readonly topic: string
  readonly payload: unknown
}

interface Stored {
  readonly baseToken?: string
  readonly topics: readonly BrowserTopic[]
  /** Topics that were given up: what comes for them is answered with "no recipient". */
  readonly gone: readonly string[]
  /** Those whose listener was not called yet. */
  readonly pending: readonly KeptPush[]
  /** Ids of the last ones that were. */
  readonly shown: readonly string[]
}

const storageKey = 'state'

/** What a device in a browser keeps. A change is seen at once, and kept when its promise resolves. */
export class BrowserState {
  /** Notifications that are being written, by their ids. */
  readonly #keeping = new Map<string, Promise<'new'>>()
  #stored: Stored
  readonly #write: SharedWrite

  private constructor(storage: DeviceStorage, stored: Stored) {
    this.#stored = stored
    this.#write = new SharedWrite(() => storage.set(storageKey, JSON.stringify(this.#stored)))
  }

  static async open(storage: DeviceStorage): Promise<BrowserState> {
    const text = await storage.get(storageKey)
    const empty: Stored = { topics: [], gone: [], pending: [], shown: [] }
    return new BrowserState(storage, text === undefined ? empty : { ...empty, ...JSON.parse(text) })
  }

  get baseToken(): string | undefined {
    return this.#stored.baseToken
  }

  get topics(): readonly BrowserTopic[] {
    return this.#stored.topics
  }

  get gone(): readonly string[] {
    return this.#stored.gone
  }

  /** Kept, and not shown yet. */
  get pending(): readonly KeptPush[] {
    return this.#stored.pending.filter(({ apnsId }) => !this.#keeping.has(apnsId))
  }

  topic(name: string): BrowserTopic | undefined {
    return this.#stored.topics.find(({ topic }) => topic === name)
  }

  /** Another base token voids all device tokens: they are asked for again. */
  setBaseToken(baseToken: string): Promise<void> {
    if (this.#stored.baseToken === baseToken) return Promise.resolve()
    const isOther = this.#stored.baseToken !== undefined
    const topics = this.#stored.topics.map(({ topic, installation, deviceToken }) =>
      isOther || deviceToken === undefined ? { topic, installation } : { topic, installation, deviceToken },
    )
    return this.#change({ baseToken, topics })
  }

  setTopic(topic: BrowserTopic): Promise<void> {
    const others = this.#stored.topics.filter((one) => one.topic !== topic.topic)
    const gone = this.#stored.gone.filter((name) => name !== topic.topic)
    return this.#change({ topics: [...others, topic], gone })
  }

  removeTopic(name: string): Promise<void> {
    const topics = this.#stored.topics.filter(({ topic }) => topic !== name)
    if (topics.length === this.#stored.topics.length) return Promise.resolve()
    return this.#change({ topics, gone: [...this.#stored.gone, name].slice(-limits.goneAppsMax) })
  }

  /**
   * Resolves when the notification is kept: `new` to whoever brought it first, `known` to all others. One that could
   * not be kept is forgotten, and new when it comes again.
   */
  keep(push: KeptPush): Promise<'new' | 'known'> {
    const { apnsId } = push
    const underWay = this.#keeping.get(apnsId)
    if (underWay !== undefined) return underWay.then(() => 'known')
    const { shown, pending } = this.#stored
    if (shown.includes(apnsId) || pending.some((one) => one.apnsId === apnsId))
      return Promise.resolve('known')
    const keeping = this.#kept(push)
    this.#keeping.set(apnsId, keeping)
    return keeping
  }

  async #kept(push: KeptPush): Promise<'new'> {
    try {
      await this.#change({ pending: [...this.#stored.pending, push] })
      return 'new'
    } catch (error) {
      this.#stored = { ...this.#stored, pending: this.#stored.pending.filter((one) => one !== push) }
      throw error
    } finally {
      this.#keeping.delete(push.apnsId)
    }
  }

  shown(apnsId: string): Promise<void> {
    const { pending, shown } = this.#stored
    return this.#change({
      pending: pending.filter((push) => push.apnsId !== apnsId),
      shown: [...shown, apnsId].slice(-limits.shownIdsInBrowserMax),
    })
  }

  #change(change: Partial<Stored>): Promise<void> {
    this.#stored = { ...this.#stored, ...change }
    return this.#write.changed()
  }
}
