import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import apn from '@parse/node-apn'
import { ApnsClient, Notification, PushType } from 'apns2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundleId, keyId, teamId } from '../memory-authority.ts'
import { GatewayWorld, payload, token } from './gateway-world.ts'

const { Pool } = createRequire(fileURLToPath(import.meta.resolve('apns2')))('undici')

let world: GatewayWorld
let folder: string
let caFile: string

beforeAll(async () => {
  world = await GatewayWorld.start()
  folder = mkdtempSync(join(tmpdir(), 'carillon-burst-'))
  caFile = join(folder, 'ca.pem')
  writeFileSync(caFile, world.ca.caPem)
})
afterAll(async () => {
  await world.stop()
  rmSync(folder, { recursive: true })
})

// A connection without certificate starts with one stream, and clients find out only when SETTINGS arrive.
describe.each([1, 20, 100, 500])('%d pushes at once on a new connection: none is lost with', (pushes) => {
  const privateKey = () => world.keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

  test('node:http2', async () => {
    const provider = world.dial()
    const headers = world.headers()
    const answers = await Promise.all(Array.from({ length: pushes }, () => provider.send(headers, payload)))
    expect(answers.filter((answer) => answer.status !== 200)).toEqual([])
  })

  test('@parse/node-apn', async () => {
    const provider = new apn.Provider({
      token: { key: privateKey(), keyId, teamId },
      address: 'localhost',
      port: world.gateway.port,
      ca: [caFile],
      requestTimeout: 60_000,
    })
    const notification = new apn.Notification({ topic: bundleId, pushType: 'alert', alert: 'Hello' })
    try {
      const { sent, failed } = await provider.send(notification, Array(pushes).fill(token))
      expect(failed).toEqual([])
      expect(sent).toHaveLength(pushes)
    } finally {
      await provider.shutdown()
    }
  })

  test('apns2', async () => {
    const client = new ApnsClient({
      team: teamId,
      keyId,
      signingKey: privateKey(),
      defaultTopic: bundleId,
      host: 'localhost',
    })
    // The client has no option for a port or a CA: its pool is replaced by one with the same options and those two.
    const pool = new Pool(`https://localhost:${world.gateway.port}`, {
      connections: 32,
      pipelining: 1,
      allowH2: true,
      maxConcurrentStreams: 100,
      connect: { ca: world.ca.caPem },
    })
    Object.assign(client, { client: pool })
    try {
      const sent = Array.from({ length: pushes }, () =>
        client.send(new Notification(token, { type: PushType.alert, aps: { alert: 'Hello' } })),
      )
      expect((await Promise.allSettled(sent)).filter((each) => each.status === 'rejected')).toEqual([])
    } finally {
      await client.destroy()
    }
  })
})
