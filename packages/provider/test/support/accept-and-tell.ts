/**
 * A provider whose push service never answers. Sends itself messages for ever and prints `+<id>` for each 202 and
 * `!<apns-id>` for each push that went out, until it is killed.
 */
import { writeSync } from 'node:fs'
import { startProvider } from '../../src/index.ts'
import { apiKey, bundleId, credentials, token } from './fixed.ts'

const inFlight = 20
const provider = await startProvider({
  dataDir: process.argv[2]!,
  apiKeys: [apiKey],
  connectPushClient: () => ({
    send(push) {
      print(`!${push.apnsId}\n`)
      return new Promise(() => {})
    },
    close: async () => {},
  }),
})
await call('POST', '/v1/apps', { bundleId, environments: { sandbox: { credentials } } })
await call('PUT', `/v1/devices/${token}`, { bundleId, environment: 'sandbox' })
for (let index = 0; index < inFlight; index++) void sendForEver()

async function sendForEver(): Promise<never> {
  for (;;) {
    const { id } = (await call('POST', '/v1/messages', {
      message: { token, notification: { title: 'x' } },
    })) as {
      id: string
    }
    print(`+${id}\n`)
  }
}

async function call(method: string, path: string, body: unknown): Promise<unknown> {
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
  const response = await fetch(provider.url + path, { method, headers, body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`)
  return response.json()
}

/** Straight to the pipe: a line that was printed is out, however the process ends. */
function print(line: string): void {
  for (;;) {
    try {
      writeSync(1, line)
      return
    } catch (error) {
      // The reader is behind; there is nothing better to do than to try until it has caught up.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
  }
}
