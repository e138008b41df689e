import { bundleId, environment, type StoryContext } from './context.ts'

interface MessageStatus {
  readonly recipients: readonly {
    readonly state: 'waiting' | 'sending' | 'sent' | 'failed' | 'expired'
    readonly apnsId: string
    readonly reason?: string
  }[]
}

export interface Sent {
  readonly id: string
  readonly apnsId: string
  /** What the provider says became of it: sent (the service accepted it), or the service's reason. */
  readonly outcome: string
}

interface Alert {
  readonly title: string
  readonly subtitle?: string
  readonly body: string
}

const pollMs = 10
const waitMsMax = 20_000

/** Gives the provider a message and follows it until the push service has answered. */
export async function sendAndFollow(context: StoryContext, alert: Alert): Promise<Sent> {
  const { provider, deviceToken } = context
  const { id } = await provider.call<{ id: string }>('POST', '/v1/messages', {
    message: {
      token: deviceToken,
      bundleId,
      environment,
      apns: { payload: { aps: { alert, sound: 'default' } } },
    },
  })
  const deadline = Date.now() + waitMsMax
  for (;;) {
    const message = await provider.call<MessageStatus>('GET', `/v1/messages/${id}`)
    const recipient = message.recipients[0]
    if (recipient && recipient.state !== 'waiting' && recipient.state !== 'sending')
      return { id, apnsId: recipient.apnsId, outcome: recipient.reason ?? recipient.state }
    if (Date.now() > deadline)
      throw new Error(`the provider had no answer for message ${id} within ${waitMsMax / 1000} s`)
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
}
