import { onTestFinished } from 'vitest'
import { LocalBus } from '../../src/bus/local-bus.ts'
import { type Courier, type CourierOptions, startCourier } from '../../src/courier/courier.ts'
import type { AcceptOutcome } from '../../src/delivery/delivery.ts'
import type { Mailbox } from '../../src/delivery/mailbox.ts'
import { openDelivery } from '../../src/delivery/open-delivery.ts'
import { openRegistry } from '../../src/registry/open-registry.ts'
import { notificationFor } from '../delivery/delivery-fixture.ts'
import { MemoryAuthority } from '../memory-authority.ts'
import { nowMs, openStoreFixture } from '../store/store-fixture.ts'
import { DeviceAuthority } from './device-certificates.ts'
import { TlsPhone } from './tls-phone.ts'

export const topic = 'dev.example.app'
export const certificates = await DeviceAuthority.make(nowMs)
export const server = await certificates.server()

let seed = 0
export const random = (bytes: number) => new Uint8Array(bytes).fill(++seed)

/** A courier over TLS with a real registry, delivery and store behind it. */
export interface World {
  readonly courier: Courier
  readonly bus: LocalBus<Mailbox>
  readonly authority: MemoryAuthority
  /** The phone's connection is gone and the service has noticed. */
  leave(phone: TlsPhone): Promise<void>
  accept(
    token: Uint8Array,
    name: string,
    fields?: { expiration?: number; collapseId?: string },
  ): Promise<AcceptOutcome>
  tokenState(token: Uint8Array): Promise<'active' | 'inactive' | 'unknown'>
  stored(): Promise<number>
  dial: (options?: Parameters<typeof TlsPhone.dial>[1]) => Promise<TlsPhone>
}

export async function startWorld(
  options: Partial<Pick<CourierOptions, 'admission' | 'now'>> = {},
): Promise<World> {
  const { database, store } = await openStoreFixture()
  const authority = new MemoryAuthority()
  authority.deviceCaPem.push(...certificates.deviceCaPem)
  authority.setApp(topic)
  const registry = openRegistry({ database, authority, now: () => nowMs, random })
  const bus = new LocalBus<Mailbox>()
  const onTrouble = (sentence: string, cause: unknown) => {
    throw new Error(sentence, { cause })
  }
  const delivery = openDelivery({ store, bus, registry, authority, now: () => nowMs, onTrouble })
  const courier = await startCourier({
    host: '127.0.0.1',
    port: 0,
    tls: { certPem: server.pem, keyPem: server.keyPem },
    authority,
    registry,
    delivery,
    now: () => nowMs,
    random,
    onTrouble,
    ...options,
  })
  onTestFinished(async () => {
    await courier.close()
    registry.close()
  })
  const find = (token: Uint8Array) =>
    new Promise<Parameters<Parameters<typeof registry.findToken>[1]>[1]>((resolve) =>
      registry.findToken(Buffer.from(token).toString('hex'), (_error, record) => resolve(record)),
    )
  return {
    courier,
    bus,
    authority,
    async leave(phone) {
      const missed = new Promise<void>((resolve) => {
        const stop = bus.onPresence((_device, isPresent) => {
          if (isPresent) return
          stop()
          resolve()
        })
      })
      await phone.leave()
      await missed
    },
    async accept(token, name, fields = {}) {
      const record = await find(token)
      return new Promise((resolve) =>
        delivery.accept(
          { ...notificationFor(name, fields), token: record! },
          undefined,
          (_context, outcome) => resolve(outcome),
        ),
      )
    },
    async tokenState(token) {
      const record = await find(token)
      return record === undefined ? 'unknown' : record.inactiveSinceMs === 0 ? 'active' : 'inactive'
    },
    async stored() {
      store.tick(nowMs)
      await store.close()
      return (await database.get<{ n: number }>(database.prepare('SELECT count(*) AS n FROM messages')))!.n
    },
    async dial(options) {
      const phone = await TlsPhone.dial(courier.address.port, options)
      onTestFinished(() => phone.leave())
      return phone
    },
  }
}
