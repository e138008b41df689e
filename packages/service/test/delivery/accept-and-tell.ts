/*
 * Run as a process of its own, to be killed: accepts notifications without end and writes a line to stdout for
 * each that was accepted. Devices 1 to 8 are away and keep one, 11 to 18 are away and keep all, 21 to 28 are
 * connected and never acknowledge.
 *
 *   node accept-and-tell.ts FILE
 */
import { limits } from '../../src/limits.ts'
import { nowMs } from '../store/store-fixture.ts'
import { FakePhone, notificationFor, topic } from './delivery-fixture.ts'
import { openOverFile } from './open-over-file.ts'

const queueTopic = 'dev.example.queue'
const { delivery } = await openOverFile(process.argv[2]!, {
  inboxMaxOf: (bundleId) => (bundleId === queueTopic ? limits.inboxPerAppMax : 1),
  now: () => nowMs,
})
for (let device = 21; device <= 28; device++) {
  const phone = new FakePhone()
  phone.inbox = delivery.attach(device, phone)
  phone.inbox.topicsChanged()
}

let count = 0
function acceptNext(): void {
  count++
  const group = count % 3
  const device = group * 10 + 1 + (Math.floor(count / 3) % 8)
  const bundleId = group === 1 ? queueTopic : topic
  const name = `${device} ${count}`
  const notification = notificationFor(name, { device, topic: bundleId, bundleId })
  delivery.accept(notification, name, (context, outcome) => {
    if (outcome === 'accepted') process.stdout.write(`${context}\n`)
    acceptNext()
  })
}
// Enough at once that commits hold several and others wait behind them.
for (let index = 0; index < 20; index++) acceptNext()
