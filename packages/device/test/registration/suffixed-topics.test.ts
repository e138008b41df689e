import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hexText, type MessageOf, topicHash } from '@carillon/wire'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { appToken, notification, TestCourier } from '../support/test-courier.ts'
import { bundleId, startPhone } from '../support/test-phone.ts'
import { type AppPortal, portalWithApp } from '../support/test-portal.ts'

const voipToken = new Uint8Array(32).fill(0xc7)
const voip = topicHash(`${bundleId}.voip`)

let portal: AppPortal
beforeAll(async () => {
  portal = await portalWithApp(bundleId)
  return () => portal.close()
})

let courier: TestCourier
beforeEach(async () => {
  courier = await TestCourier.start(portal)
})

/** An app with a token of its own and one for calls. */
async function withBoth() {
  const phone = await startPhone(portal, { couriers: { production: courier.address } })
  const app = await phone.device.install({ bundleId, profile: portal.profile })
  const plain = app.register()
  const connection = await courier.connection()
  await connection.accept()
  await connection.issue()
  expect(await plain).toBe(hexText(appToken))
  const calls = app.register({ pushType: 'voip' })
  const request = await connection.hear('appTokenRequest', 2)
  expect(request.topicHash).toEqual(voip)
  connection.say({ type: 'appTokenReply', status: 0, topicHash: voip, token: voipToken })
  expect(await calls).toBe(hexText(voipToken))
  return { ...phone, app, connection }
}

const lastFilter = (filters: MessageOf<'filter'>[]) => filters.at(-1)?.enabled

test('a push type whose topic has a suffix has a token of its own, and is wanted from then on', async () => {
  const { log, connection, app } = await withBoth()
  expect(log.all('registered').at(-1)).toEqual({
    event: 'registered',
    bundleId,
    topic: `${bundleId}.voip`,
    deviceToken: hexText(voipToken),
    environment: 'production',
  })
  expect(lastFilter(connection.all('filter'))).toEqual([topicHash(bundleId), voip])
  const heard: string[] = []
  app.onNotification(({ apnsId }) => heard.push(apnsId))
  connection.say(notification(bundleId, 1, { topicHash: voip, token: voipToken }))
  expect(await connection.hear('ack')).toMatchObject({ id: 1, status: 0 })
  expect(heard).toHaveLength(1)
  // One without a suffix is the app's own topic.
  const background = app.register({ pushType: 'background' })
  expect((await connection.issue(appToken, 3)).topicHash).toEqual(topicHash(bundleId))
  expect(await background).toBe(hexText(appToken))
})

test('both tokens are kept for the next start, and given up with the app', async () => {
  const { device, stateDir, connection } = await withBoth()
  await device.close()
  await connection.closed()
  const state = JSON.parse(await readFile(join(stateDir, 'state.json'), 'utf8'))
  expect(state.apps[0].suffixed).toEqual([{ suffix: '.voip', deviceToken: hexText(voipToken) }])
  const again = await startPhone(portal, { stateDir, couriers: { production: courier.address } })
  await again.device.install({ bundleId, profile: portal.profile })
  const second = await courier.connection(2)
  await second.accept()
  expect((await second.hear('filter')).enabled).toEqual([topicHash(bundleId), voip])
  expect(second.all('appTokenRequest')).toEqual([])
  await again.device.uninstall(bundleId)
  await second.hear('filter', 2)
  second.say(notification(bundleId, 2, { topicHash: voip, token: voipToken }))
  expect(await second.hear('ack')).toMatchObject({ id: 2, status: 2 })
})

test('an app that is removed and comes back without its calls: the token of before is given up', async () => {
  const { device, connection } = await withBoth()
  await device.uninstall(bundleId)
  await device.install({ bundleId, profile: portal.profile })
  await connection.hear('filter', 4)
  expect(lastFilter(connection.all('filter'))).toContainEqual(voip)
  connection.say(notification(bundleId, 3, { topicHash: voip, token: voipToken }))
  expect(await connection.hear('ack')).toMatchObject({ id: 3, status: 2 })
  await device.uninstall(bundleId)
  await connection.hear('filter', 5)
  expect(lastFilter(connection.all('filter'))).toEqual([topicHash(bundleId), voip])
})
