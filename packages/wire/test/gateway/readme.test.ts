import { expect, test } from 'vitest'
import {
  checkDeviceTarget,
  checkPayload,
  checkPushHeaders,
  checkTopic,
  collectHeaders,
  devicePath,
  errorBody,
  PushHeaders,
  presentationOf,
  topicFor,
} from '../../src/index.ts'

/* The snippets of the README. */

test('a gateway reads a request', () => {
  const request = [
    ':method',
    'POST',
    ':path',
    devicePath('ab'.repeat(32)),
    'apns-topic',
    topicFor('com.example.app', 'voip'),
    'apns-push-type',
    'alert',
  ]
  const headers = new PushHeaders() // one for each connection, used again for every request
  collectHeaders(request, headers)
  const rejected =
    checkDeviceTarget(headers) ?? checkPushHeaders(headers) ?? checkTopic(headers.topic, headers.pushType)
  if (rejected !== undefined) {
    const { status, meaning } = rejected // 400, 'The push type is unknown, or does not go with the topic.'
    const body = errorBody(rejected) // {"reason":"InvalidPushType"}
    expect([status, meaning, new TextDecoder().decode(body)]).toEqual([
      400,
      'The push type is unknown, or does not go with the topic.',
      '{"reason":"InvalidPushType"}',
    ])
  }
  expect(rejected).toBeDefined()
})

test('a developer checks a payload', () => {
  const problems = checkPayload({ aps: { alert: 'Hello', contentAvailable: 1 } }, 'alert')
  // [{ path: 'aps.contentAvailable', severity: 'warning', message: …, fix: 'Write content-available.' }]
  expect(problems).toMatchObject([
    { path: 'aps.contentAvailable', severity: 'warning', fix: 'Write content-available.' },
  ])
})

test('a device decides what to show', () => {
  const payload = { aps: { alert: { 'loc-key': '%@ wants to play', 'loc-args': ['Bob'] }, badge: 1 } }
  const shown = presentationOf(payload, { appState: 'background' })
  // { kind: 'banner', body: 'Bob wants to play', badge: 1, … }
  expect(shown).toMatchObject({ kind: 'banner', body: 'Bob wants to play', badge: 1 })
})
