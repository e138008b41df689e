import { subscribe } from 'node:diagnostics_channel'
import { expect, test } from 'vitest'
import {
  alert,
  background,
  broadcastActivity,
  diagnosticsChannels,
  encodeSimulatorFile,
  liveActivity,
  type PushClient,
  type PushDone,
  type PushResult,
  voip,
} from '../src/index.ts'
import { clientTo, startService } from './support/local-service.ts'
import type { Respond } from './support/node-http2-peer.ts'

// Fragments of README.md, run as they stand there.

const bundleId = 'com.example.app'
const deviceToken = 'ab'.repeat(32)
const madeId = 'AAECAwQFBgcICQoLDA0ODw=='
const said: unknown[] = []
const console = { log: (...what: unknown[]) => void said.push(what) }

const start = async (respond?: Respond): Promise<PushClient> => {
  said.length = 0
  return clientTo((await startService(respond)).port)
}

test('builders', async () => {
  const client = await start()

  const invitation = alert({
    bundleId,
    title: { locKey: 'INVITATION', locArgs: ['Ada'] },
    sound: 'default',
    category: 'INVITE',
    threadId: 'chess',
    data: { gameId: 42 },
  })
  const refresh = background({ bundleId, collapseId: 'inbox' })
  const call = voip({ bundleId, data: { callId: '7f', caller: 'Ada' } })
  const goal = liveActivity.update({ bundleId, timestamp: new Date(), contentState: { home: 3, away: 0 } })

  for (const notification of [invitation, refresh, call, goal]) {
    const { ok } = await client.send({ deviceToken, ...notification })
    expect(ok).toBe(true)
  }
  const file = encodeSimulatorFile(invitation)
  expect(file).toContain('"Simulator Target Bundle": "com.example.app"')
})

test('results', async () => {
  const client = await start((stream) => {
    stream.respond({ ':status': 410 })
    stream.end('{"reason":"Unregistered","timestamp":1700000000000}')
  })
  const forgotten: string[] = []
  const forget = (token: string) => forgotten.push(token)
  const later = (_token: string, ms: number) => ms
  const handle = (result: PushResult): unknown => {
    switch (result.outcome) {
      case 'accepted':
        return console.log('taken over as', result.apnsId)
      case 'rejected':
        if (result.tokenIsDead) return forget(deviceToken)
        if (result.retryable) return later(deviceToken, result.retryAfter ?? 60_000)
        return console.log(result.status, result.reason, result.hint)
      case 'unsent': // certainly not accepted: nobody got it
      case 'ambiguous': // sent, and the answer was lost: somebody may have got it
        return console.log(result.reason, result.hint)
    }
  }
  const registeredAt = 1_600_000_000_000
  handle(await client.send({ deviceToken, registeredAt, ...alert({ bundleId, body: 'Hello' }) }))
  expect(forgotten).toEqual([deviceToken])
})

test('channels', async () => {
  const client = await start((stream, headers) => {
    if (headers[':path']?.endsWith('/channels')) {
      stream.respond({ ':status': 201, 'apns-channel-id': madeId }, { endStream: true })
    } else stream.respond({ ':status': 200 }, { endStream: true })
  })

  const made = await client.channels.create(bundleId, 'latest')
  if (!made.ok) throw new Error(made.hint)
  const { channelId } = made
  const score = { timestamp: new Date(), contentState: { home: 3, away: 0 } }
  const told = await client.broadcast(broadcastActivity.update({ bundleId, channelId, ...score }))
  console.log(told.outcome)

  expect(said).toEqual([['accepted']])
})

test('diagnostics', async () => {
  const client = await start()
  subscribe(diagnosticsChannels.push, (message) => {
    const { result, roundTripMs, pushType } = message as PushDone
    console.log(result.apnsId, pushType, result.outcome, roundTripMs)
  })
  const { apnsId } = await client.send({ deviceToken, ...alert({ bundleId, body: 'Hello' }) })
  expect(said).toEqual([[apnsId, 'alert', 'accepted', expect.any(Number)]])
})
