/*
 * Run as a process of its own, to be killed: store and delivery of a service, whose devices are on the other end of
 * its pipes. A line of JSON for each command on stdin, and for each thing that happens on stdout.
 *
 *   node killed-service.ts FILE
 */
import { createInterface } from 'node:readline'
import { shortTimer } from '../../src/delivery/drivers/short-timer.ts'
import { limits } from '../../src/limits.ts'
import { powerStateOf } from '../../src/power/power-hook.ts'
import { PowerPolicy } from '../../src/power/power-policy.ts'
import { FakePhone, nameOf, notificationFor } from './delivery-fixture.ts'
import { openOverFile } from './open-over-file.ts'

/** What the test asks for. `bits` are those of `courierPower`. */
export type Command =
  | {
      readonly do: 'accept'
      readonly name: string
      readonly device: number
      readonly priority: number
      readonly collapseId: string
    }
  | { readonly do: 'connect' | 'lose' | 'count'; readonly device: number }
  | { readonly do: 'power'; readonly device: number; readonly bits: number }
  | { readonly do: 'acknowledge'; readonly device: number; readonly session: number; readonly id: number }

/** What happened. */
export type Happening =
  | { readonly is: 'accepted'; readonly name: string }
  | {
      readonly is: 'sent'
      readonly device: number
      readonly session: number
      readonly name: string
      readonly id: number
    }
  | { readonly is: 'count'; readonly device: number; readonly stored: number }

function tell(happening: Happening): void {
  process.stdout.write(`${JSON.stringify(happening)}\n`)
}

const { store, delivery } = await openOverFile(process.argv[2]!, {
  // Devices with an odd number keep all that waits for them, the others the newest.
  inboxMaxOf: (bundleId) => (Number(bundleId.split('.').at(-1)) % 2 === 1 ? limits.inboxPerAppMax : 1),
  now: Date.now,
  power: new PowerPolicy({ groupMs: 1000, lowPowerGroupMs: 2000, lowestMs: 2000, lowPowerLowestMs: 2000 }),
  shortTimer,
})
setInterval(() => {
  delivery.tick(Date.now())
  store.tick(Date.now())
}, 100).unref()

const phones = new Map<number, PipedPhone>()
let sessions = 0

class PipedPhone extends FakePhone {
  readonly device: number
  readonly session = ++sessions
  constructor(device: number) {
    super()
    this.device = device
    this.wishes.set(appOf(device), 'deliver')
  }
  override send(...[message, id]: Parameters<FakePhone['send']>): void {
    const { device, session } = this
    tell({ is: 'sent', device, session, name: nameOf(message), id })
  }
}

const appOf = (device: number) => `dev.example.${device}`

function run(command: Command): void {
  const { device } = command
  switch (command.do) {
    case 'accept': {
      const { name, priority, collapseId } = command
      const where = { device, topic: appOf(device), bundleId: appOf(device) }
      const times = { receivedAtMs: Date.now(), expiration: Math.floor(Date.now() / 1000) + 3600 }
      const notification = notificationFor(name, { ...where, ...times, priority, collapseId })
      delivery.accept(notification, name, (context, outcome) => {
        if (outcome === 'accepted') tell({ is: 'accepted', name: context })
      })
      return
    }
    case 'connect': {
      const phone = new PipedPhone(device)
      phone.inbox = delivery.attach(device, phone)
      phones.set(device, phone)
      phone.inbox.topicsChanged()
      return
    }
    case 'lose':
      phones.get(device)?.inbox.close()
      phones.delete(device)
      return
    case 'power':
      delivery.powerChanged(device, powerStateOf(command.bits))
      return
    case 'acknowledge': {
      // An acknowledgement does not outlive its connection.
      const phone = phones.get(device)
      if (phone?.session === command.session) phone.inbox.acknowledged(command.id, 0)
      return
    }
    case 'count':
      store.read(device, 0, store.lastSeq).then(({ messages }) => {
        tell({ is: 'count', device, stored: messages.length })
      })
  }
}

createInterface({ input: process.stdin }).on('line', (line) => run(JSON.parse(line)))
