import type { Bus, BusInbox, PresenceListener, Route } from './bus.ts'

/** The bus of a system in one process: a map. */
export class LocalBus<Inbox extends BusInbox> implements Bus<Inbox> {
  readonly #routes = new Map<number, LocalRoute<Inbox>>()
  readonly #listeners = new Set<PresenceListener>()

  get localDevices(): number {
    return this.#routes.size
  }

  find(device: number): Route<Inbox> | undefined {
    return this.#routes.get(device)
  }

  announce(device: number, inbox: Inbox): void {
    const route = this.#routes.get(device)
    if (route === undefined) {
      this.#routes.set(device, { inbox, node: '' })
      this.#tell(device, true)
      return
    }
    const earlier = route.inbox
    route.inbox = inbox
    if (earlier !== inbox) earlier.replaced()
  }

  withdraw(device: number, inbox: Inbox): void {
    if (this.#routes.get(device)?.inbox !== inbox) return
    this.#routes.delete(device)
    this.#tell(device, false)
  }

  wake(_device: number, route: Route<Inbox>): void {
    route.inbox?.wake()
  }

  onPresence(listener: PresenceListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #tell(device: number, isPresent: boolean): void {
    for (const listener of this.#listeners) listener(device, isPresent)
  }
}

interface LocalRoute<Inbox> {
  inbox: Inbox
  readonly node: ''
}
