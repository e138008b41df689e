import { bannerLines } from '../banner.ts'
import { bundleId, type StoryContext } from './context.ts'
import { sendAndFollow } from './send.ts'
import type { Step } from './step.ts'

// The first push after a removal finds the app gone; its device says so, and the service learns it at once.
const pushesUntilGoneMax = 5

/** Away and back, then gone for good. */
export const absenceSteps: readonly Step<StoryContext>[] = [
  {
    party: 'device',
    title: 'goes offline; two more pushes are sent; it comes back',
    async run(context) {
      const { device, log } = context
      const from = log.position
      await device.goOffline()
      await log.waitFor('disconnected', 'go offline', from)
      const first = await sendAndFollow(context, {
        title: 'While you were away (1)',
        body: 'A later one replaces this.',
      })
      const second = await sendAndFollow(context, {
        title: 'While you were away (2)',
        body: 'The latest one is kept.',
      })
      for (const { outcome } of [first, second])
        if (outcome !== 'sent') throw new Error(`a push was answered with ${outcome}`)
      const back = log.position
      device.goOnline()
      await log.waitFor('storageEmpty', 'come back', back)
      const shown = log.all('notification', from)
      const [only] = shown
      if (shown.length !== 1 || only?.apnsId !== second.apnsId)
        throw new Error(`it showed ${shown.length} notifications where Apple's rule keeps the latest one`)
      return {
        detail: 'the service accepted both and kept the latest, as Apple does:',
        picture: bannerLines(bundleId, only.shown),
      }
    },
  },
  {
    party: 'app',
    title: 'is removed from the device; the provider pushes on',
    async run(context) {
      await context.device.uninstall(bundleId)
      const outcomes: string[] = []
      while (outcomes.at(-1) !== 'Unregistered') {
        if (outcomes.length === pushesUntilGoneMax)
          throw new Error(`the pushes were answered with ${outcomes.join(', ')}`)
        outcomes.push((await sendAndFollow(context, { title: 'Is anybody there?', body: '…' })).outcome)
      }
      const { retiredReason } = await context.provider.call<{ retiredReason?: string }>(
        'GET',
        `/v1/devices/${context.deviceToken}`,
      )
      if (!retiredReason) throw new Error('the provider still takes the token for active')
      return { detail: `answers: ${outcomes.join(', then ')} (410); the provider has retired the token` }
    },
  },
]
