import { beforeEach, describe, expect, test } from 'vitest'
import { bundleId } from '../memory-authority.ts'
import { ChannelWorld } from './channel-world.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

let world: ChannelWorld

beforeEach(async () => {
  world = await ChannelWorld.start()
  return () => world.stop()
})

test('a channel is created, read, listed and deleted', async () => {
  const created = await world.create(1)
  expect(created).toMatchObject({ status: 201, body: '' })
  const id = String(created.headers['apns-channel-id'])
  expect(id).toMatch(/^[A-Za-z0-9+/]{22}==$/)
  expect(created.headers['apns-request-id']).toMatch(uuid)

  expect(await world.read(id)).toMatchObject({
    status: 200,
    body: '{"message-storage-policy":1,"push-type":"LiveActivity"}',
    headers: { 'content-type': 'application/json' },
  })
  const other = await world.channel(0)
  expect(JSON.parse((await world.list()).body)).toEqual({ channels: [id, other].sort() })

  expect(await world.delete(id)).toMatchObject({ status: 204, body: '' })
  expect(await world.read(id)).toMatchObject({ status: 400, reason: 'ChannelNotRegistered' })
  expect(JSON.parse((await world.list()).body)).toEqual({ channels: [other] })
})

test('every answer says the request id back, or makes one', async () => {
  const requestId = 'EABEAE54-14A8-11E5-B60B-1697F925EC7B'
  const path = `/1/apps/${bundleId}/all-channels`
  const answers = await Promise.all([
    world.request('GET', path, { 'apns-request-id': requestId }),
    world.request('GET', path, { 'apns-id': requestId }),
    world.request('GET', path, { 'apns-request-id': requestId, authorization: undefined }),
    world.request('PATCH', path, { 'apns-request-id': requestId }),
  ])
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 403, 405])
  for (const { headers } of answers) expect(headers['apns-request-id']).toBe(requestId)
  expect((await world.request('GET', path, { 'apns-request-id': 'x' })).headers['apns-request-id']).toMatch(
    uuid,
  )
})

test('channels are there after a restart, and deleted ones are still known as such', async () => {
  const ids = [await world.channel(0), await world.channel(1), await world.channel(1)].sort()
  await world.delete(ids[0])
  await world.restart()
  expect(JSON.parse((await world.list()).body)).toEqual({ channels: ids.slice(1) })
  expect(await world.read(ids[0])).toMatchObject({ reason: 'ChannelNotRegistered' })
  expect(await world.read(ids[1])).toMatchObject({ status: 200 })
})

test('a channel of one app is none of another', async () => {
  world.authority.setApp('com.example.other')
  const id = await world.channel()
  expect(await world.read(id, 'com.example.other')).toMatchObject({ reason: 'BadChannelId' })
  expect(await world.delete(id, 'com.example.other')).toMatchObject({ status: 404 })
  expect(JSON.parse((await world.list('com.example.other')).body)).toEqual({ channels: [] })
  expect(await world.read(id)).toMatchObject({ status: 200 })
})

describe('switching the capability off', () => {
  test('deletes all channels of the app, for good', async () => {
    world.authority.setApp('com.example.other')
    const ids = [await world.channel(), await world.channel()]
    const kept = await world.channel(1, 'com.example.other')
    world.authority.setApp(bundleId, { broadcastEnabled: false })
    expect(await world.list()).toMatchObject({ status: 400, reason: 'BroadcastFeatureNotEnabled' })
    world.authority.setApp(bundleId, { broadcastEnabled: true })
    expect(JSON.parse((await world.list()).body)).toEqual({ channels: [] })
    for (const id of ids) expect(await world.read(id)).toMatchObject({ reason: 'ChannelNotRegistered' })
    await world.restart()
    expect(await world.read(ids[0])).toMatchObject({ reason: 'ChannelNotRegistered' })
    expect(await world.read(kept, 'com.example.other')).toMatchObject({ status: 200 })
  })

  test('while the service does not run does the same', async () => {
    const id = await world.channel()
    // What is told while nobody listens is not heard.
    world.authority.listeners.clear()
    world.authority.setApp(bundleId, { broadcastEnabled: false })
    await world.restart()
    world.authority.setApp(bundleId, { broadcastEnabled: true })
    expect(await world.read(id)).toMatchObject({ reason: 'ChannelNotRegistered' })
  })

  test('takes a channel along that is on its way to the disk', async () => {
    const creating = world.open.channels.create(bundleId, 0)
    world.authority.setApp(bundleId, { broadcastEnabled: false })
    expect(await creating).toMatchObject({ text: 'BroadcastFeatureNotEnabled' })
    world.authority.setApp(bundleId, { broadcastEnabled: true })
    await world.restart()
    expect(JSON.parse((await world.list()).body)).toEqual({ channels: [] })
  })

  test('is what switching push off does, too', async () => {
    const id = await world.channel()
    world.authority.setApp(bundleId, { pushEnabled: false })
    world.authority.setApp(bundleId)
    expect(await world.read(id)).toMatchObject({ reason: 'ChannelNotRegistered' })
  })
})

describe('with certificates', () => {
  test('a certificate for the app manages its channels, no other one', async () => {
    world.authority.setApp('com.example.other')
    const provider = await world.connect(await world.certificate('universal'))
    const path = `/1/apps/${bundleId}/all-channels`
    const without = { authorization: undefined }
    expect(await world.request('GET', path, without, '', provider)).toMatchObject({ status: 200 })
    const other = '/1/apps/com.example.other/all-channels'
    expect(await world.request('GET', other, without, '', provider)).toMatchObject({
      status: 403,
      reason: 'TopicMismatch',
    })
  })
})

test('an id that was given before is not given again', async () => {
  const drawn = [Buffer.alloc(16, 1), Buffer.alloc(16, 1), Buffer.alloc(16, 2)]
  const random = (bytes: number) => (bytes === 16 ? drawn.shift()! : Buffer.alloc(bytes, drawn.length))
  const repeating = await ChannelWorld.start({ random })
  try {
    const first = await repeating.channel()
    await repeating.delete(first)
    expect(await repeating.channel()).toBe(Buffer.alloc(16, 2).toString('base64'))
  } finally {
    await repeating.stop()
  }
})
