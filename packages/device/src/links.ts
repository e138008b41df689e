import type { Environment } from '@carillon/wire'
import { DeviceError } from './device-error.ts'
import { type CourierAddress, redirectedAddress } from './drivers/courier-address.ts'
import { CourierLink, type LinkHandler } from './drivers/courier-link.ts'
import { tlsDial } from './drivers/tls-transport.ts'
import type { CourierSession } from './session/courier-session.ts'
import type { DeviceIdentity } from './session/identity.ts'

export interface CourierLinksOptions {
  readonly couriers: { readonly [E in Environment]?: CourierAddress }
  readonly caPem: string
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
  baseToken(environment: Environment): Uint8Array | undefined
  /** What is told of the link to an environment's courier. */
  handlerOf(environment: Environment): LinkHandler
}

/** The connections of a device: one for each environment that it has apps in, all of them or none. */
export class CourierLinks {
  readonly #options: CourierLinksOptions
  readonly #links = new Map<Environment, CourierLink>()
  #online = true
  #closed = false

  constructor(options: CourierLinksOptions) {
    this.#options = options
  }

  /** While it is connected. */
  session(environment: Environment): CourierSession | undefined {
    return this.#links.get(environment)?.session
  }

  /**
   * Wants a connection to this courier from now on.
   *
   * @throws DeviceError `ENVIRONMENT_UNKNOWN`
   */
  open(environment: Environment, identity: DeviceIdentity): void {
    const link = this.#links.get(environment) ?? this.#newLink(environment, identity)
    if (this.#online && !this.#closed) link.open()
  }

  /** Leaves all couriers and stays away. Resolves when the connections are closed. */
  async goOffline(reason: string): Promise<void> {
    this.#online = false
    await Promise.all([...this.#links.values()].map((link) => link.close(reason)))
  }

  goOnline(): void {
    if (this.#closed) return
    this.#online = true
    for (const link of this.#links.values()) link.open()
  }

  close(): Promise<void> {
    this.#closed = true
    return this.goOffline('the device was closed')
  }

  #newLink(environment: Environment, identity: DeviceIdentity): CourierLink {
    const { couriers, caPem, now, random } = this.#options
    const known = couriers[environment]
    if (!known)
      throw new DeviceError(
        'ENVIRONMENT_UNKNOWN',
        `This device knows no ${environment} courier.`,
        'Give its address, or use a profile of the other environment.',
      )
    const address = () => couriers[environment] ?? known
    const baseToken = () => this.#options.baseToken(environment)
    const link = new CourierLink(
      {
        home: () => tlsDial(address(), caPem),
        elsewhere: (host) => {
          const other = redirectedAddress(host, address())
          return other && tlsDial(other, caPem)
        },
        ...{ identity, now, random, baseToken },
      },
      this.#options.handlerOf(environment),
    )
    this.#links.set(environment, link)
    return link
  }
}
