import { openDatabase } from '@carillon/database'
import { LocalBus } from '../../src/bus/local-bus.ts'
import type { Mailbox } from '../../src/delivery/mailbox.ts'
import { type DeliveryOptions, openDelivery } from '../../src/delivery/open-delivery.ts'
import { migrations } from '../../src/migrations.ts'
import { openMessageStore } from '../../src/store/database-message-store.ts'

interface OverFileOptions extends Pick<DeliveryOptions, 'now' | 'power' | 'shortTimer'> {
  readonly inboxMaxOf: (bundleId: string) => number
}

/** Store and delivery of a service on a database file, for processes that are killed. Trouble ends them, too. */
export async function openOverFile(file: string, { inboxMaxOf, ...options }: OverFileOptions) {
  const database = await openDatabase({ engine: 'sqlite', file, migrations })
  const store = await openMessageStore({ database })
  const delivery = openDelivery({
    ...options,
    store,
    bus: new LocalBus<Mailbox>(),
    registry: { deactivateToken: () => Promise.resolve() },
    authority: {
      app: (bundleId) => ({
        ...{ bundleId, teamId: '', pushEnabled: true, broadcastEnabled: false },
        inboxMax: inboxMaxOf(bundleId),
      }),
    },
    onTrouble: (sentence) => {
      throw new Error(sentence)
    },
  })
  return { store, delivery }
}
