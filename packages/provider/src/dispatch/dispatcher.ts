import type { Environment } from '@carillon/wire'
import { limits } from '../limits.ts'
import type { AppRegistry } from '../registry/app-registry.ts'
import type { ConnectRegistered } from '../sender.ts'
import { Lane, type LaneSender, type LaneWorld } from './lane.ts'

interface Entry {
  readonly lane: Lane
  sender: Promise<LaneSender> | undefined
}

/** One lane, with its own sender, for each app and environment. */
export class Dispatcher {
  readonly #apps: AppRegistry
  readonly #connectSender: ConnectRegistered
  readonly #world: LaneWorld
  readonly #entries = new Map<string, Entry>()
  #stopped = false

  constructor(apps: AppRegistry, connectSender: ConnectRegistered, world: LaneWorld) {
    this.#apps = apps
    this.#connectSender = connectSender
    this.#world = world
  }

  /** Looks for work of every app, as after a start. */
  async wakeAll(): Promise<void> {
    for (const { bundleId, environment } of await this.#apps.lanes()) this.wake(bundleId, environment)
  }

  wake(bundleId: string, environment: Environment): void {
    if (this.#stopped) return
    this.#entryOf(bundleId, environment).lane.wake()
  }

  /** The credentials of an app changed: further pushes use the new ones, those under way end with the old. */
  replaceSender(bundleId: string, environment: Environment): void {
    const entry = this.#entries.get(keyOf(bundleId, environment))
    const old = entry?.sender
    if (entry === undefined || old === undefined) return
    entry.sender = undefined
    old.then(({ sender }) => sender.close()).catch(this.#world.onFailure)
    entry.lane.wake()
  }

  /** Claims nothing more, gives what is under way a moment, and closes the connections. */
  async stop(): Promise<void> {
    this.#stopped = true
    const entries = [...this.#entries.values()]
    const idle = entries.map(({ lane }) => lane.stop())
    await Promise.all(
      entries.map(async ({ sender }) =>
        (await sender?.catch(() => undefined))?.sender.close({ drainMsMax: limits.closeMsMax }),
      ),
    )
    // A sender that does not let go is left behind: its leases end with the next start.
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const cancel = this.#world.after(limits.closeMsMax * 2, resolve)
    await Promise.race([Promise.all(idle), late])
    cancel()
  }

  #entryOf(bundleId: string, environment: Environment): Entry {
    const key = keyOf(bundleId, environment)
    const known = this.#entries.get(key)
    if (known !== undefined) return known
    const lane = new Lane(bundleId, environment, this.#world, () =>
      this.#senderOf(entry, bundleId, environment),
    )
    const entry: Entry = { lane, sender: undefined }
    this.#entries.set(key, entry)
    return entry
  }

  #senderOf(entry: Entry, bundleId: string, environment: Environment): Promise<LaneSender> {
    entry.sender ??= this.#apps.senderOptions(bundleId, environment).then((options) => ({
      sender: this.#connectSender(options),
      isApple: options.connect === undefined,
    }))
    const sender = entry.sender
    sender.catch(() => {
      // Tried again with the next wake; the lane reports the error.
      if (entry.sender === sender) entry.sender = undefined
    })
    return sender
  }
}

function keyOf(bundleId: string, environment: Environment): string {
  return `${environment} ${bundleId}`
}
