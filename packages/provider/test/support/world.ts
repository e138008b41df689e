import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import {
  type After,
  type ConnectSender,
  type Provider,
  type ProviderOptions,
  type SenderPush,
  type SendResult,
  startProvider,
} from '../../src/index.ts'
import { apiKey, bundleId, credentials, token } from './fixed.ts'

export { apiKey, bundleId, credentials, privateKeyPem, token } from './fixed.ts'

/** A directory that goes with the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'carillon-provider-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

export const accepted = (push: SenderPush): SendResult => ({ ok: true, apnsId: push.apnsId })

export const rejected = (status: number, reason: string, more: Partial<SendResult> = {}): SendResult =>
  ({ ok: false, status, reason, retryable: false, tokenIsDead: false, ...more }) as SendResult

/** A push service in the test's hands: says what it was sent, answers what the test wants. */
export class PushServiceDouble {
  readonly pushes: SenderPush[] = []
  answer: (push: SenderPush) => SendResult | Promise<SendResult> = accepted
  readonly #waiting: { count: number; resolve: () => void }[] = []

  readonly connect: ConnectSender = () => ({
    send: async (push) => {
      this.pushes.push(push)
      for (const { count, resolve } of this.#waiting) if (this.pushes.length >= count) resolve()
      return this.answer(push)
    },
    close: async () => {},
  })

  /** Resolves when so many pushes have come. */
  received(count: number): Promise<void> {
    if (this.pushes.length >= count) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ count, resolve }))
  }
}

/** A clock that stands until it is told otherwise; timers run when it has passed them. */
export class ManualClock {
  time = Date.parse('2026-11-21T12:00:00Z')
  readonly #timers = new Set<{ at: number; then: () => void }>()

  readonly now = (): number => this.time

  readonly after: After = (delayMs, then) => {
    if (delayMs <= 0) {
      queueMicrotask(then)
      return () => {}
    }
    const timer = { at: this.time + delayMs, then }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  advance(ms: number): void {
    this.time += ms
    for (const timer of [...this.#timers]) {
      if (timer.at > this.time || !this.#timers.delete(timer)) continue
      timer.then()
    }
  }
}

export interface Started {
  readonly provider: Provider
  readonly service: PushServiceDouble
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  /** Registers the app for both environments, and the token for the sandbox. */
  prepare(): Promise<void>
  /** Sends a message and gives its id. */
  send(message: Record<string, unknown>): Promise<string>
  /** Asks for the status until it is as wanted; each question waits for the outbox, none for time. */
  recipientsUntil(id: string, wanted: (recipients: RecipientAnswer[]) => boolean): Promise<RecipientAnswer[]>
}

export interface Answer {
  readonly status: number
  readonly type: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any shape.
  readonly body: any
}

export interface RecipientAnswer {
  readonly token: string
  readonly environment: string
  readonly apnsId: string
  readonly state: string
  readonly attempts: number
  readonly status?: number
  readonly reason?: string
  readonly nextAttemptAt?: string
}

/** A provider over real HTTP and a real database file, with a push service in the test's hands. */
export async function start(options: Partial<ProviderOptions> = {}): Promise<Started> {
  const service = new PushServiceDouble()
  const provider = await startProvider({
    dataDir: options.database === undefined ? temporaryDirectory() : undefined,
    apiKeys: [apiKey],
    connectPushClient: service.connect,
    onFailure: (error) => {
      throw error
    },
    ...options,
  } as ProviderOptions)
  onTestFinished(() => provider.close())
  const call: Started['call'] = async (method, path, body, headers = {}) => {
    const response = await fetch(provider.url + path, {
      method,
      headers: {
        authorization: `Bearer ${apiKey}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    return {
      status: response.status,
      type: response.headers.get('content-type') ?? '',
      body: text.startsWith('{') ? JSON.parse(text) : text,
    }
  }
  return {
    provider,
    service,
    call,
    async prepare() {
      const environments = { sandbox: { credentials }, production: { credentials } }
      await expectOk(call('POST', '/v1/apps', { bundleId, environments }))
      await expectOk(call('PUT', `/v1/devices/${token}`, { bundleId, environment: 'sandbox' }))
    },
    async send(message) {
      return (await expectOk(call('POST', '/v1/messages', { message }))).id as string
    },
    async recipientsUntil(id, wanted) {
      for (;;) {
        const { recipients } = await expectOk(call('GET', `/v1/messages/${id}`))
        if (wanted(recipients)) return recipients
      }
    },
  }
}

export const allAre = (state: string) => (recipients: RecipientAnswer[]) =>
  recipients.every((recipient) => recipient.state === state)

export function newToken(): string {
  return randomBytes(32).toString('hex')
}

async function expectOk(answering: Promise<Answer>): Promise<Answer['body']> {
  const answer = await answering
  if (answer.status >= 300) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`)
  return answer.body
}
