/**
 * Where the sessions of devices are. Acceptance asks it, courier nodes tell it.
 *
 * In one process a route leads straight to the inbox of the session. Between processes (NATS, PostgreSQL) a
 * route only names a node: the message is made durable first and then the node is woken, which reads it from
 * the store. A wake that is lost means that the device gets its message at the next wake or reconnect.
 */
export interface Bus<Inbox extends BusInbox> {
  /** The route to a device's session, undefined while it is away. Answers from memory. */
  find(device: number): Route<Inbox> | undefined
  /** This node now holds the session of the device. An earlier inbox, here or elsewhere, is replaced. */
  announce(device: number, inbox: Inbox): void
  /** The session has ended. Does nothing where another one has replaced it. */
  withdraw(device: number, inbox: Inbox): void
  /** Tells the node of a route that something was stored for the device. */
  wake(device: number, route: Route<Inbox>): void
  /** Calls the listener with each device that comes or goes; returns how to stop. */
  onPresence(listener: PresenceListener): () => void
  /** Devices with a session on this node. */
  readonly localDevices: number
}

export interface Route<Inbox> {
  /** The inbox itself where it is in this process. */
  readonly inbox: Inbox | undefined
  /** The name of the node that holds the session; '' for this one. */
  readonly node: string
}

/** What the bus itself needs of the place where a device's messages arrive. */
export interface BusInbox {
  /** Something was stored for the device by another process. */
  wake(): void
  /** Another session of the device has taken over: end this one. */
  replaced(): void
}

export type PresenceListener = (device: number, isPresent: boolean) => void
