import { bundleIdOf, pushTypes } from '@carillon/wire'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  alert,
  background,
  decodeSimulatorFile,
  encodeSimulatorFile,
  liveActivity,
  widgets,
} from '../src/index.ts'

const bundleId = 'com.example.app'

test('a file as Xcode reads it', () => {
  const file = encodeSimulatorFile(alert({ bundleId, title: 'Hello', data: { id: 7 } }))
  expect(file).toBe(`{
  "Simulator Target Bundle": "com.example.app",
  "aps": {
    "alert": {
      "title": "Hello"
    }
  },
  "id": 7
}
`)
})

test.each([
  alert({ bundleId, body: 'x', badge: 1 }),
  background({ bundleId, data: { sync: true } }),
  widgets({ bundleId }),
])('$pushType comes back as it was', (notification) => {
  const { topic, pushType, priority, payload } = notification
  expect(decodeSimulatorFile(encodeSimulatorFile(notification))).toEqual({
    bundleId,
    notification: { topic, pushType, priority, payload },
  })
})

test('a Live Activity, whose topic has a suffix, is for the app', () => {
  const built = liveActivity.end({ bundleId, timestamp: 5 })
  const read = decodeSimulatorFile(Buffer.from(encodeSimulatorFile(built)))
  expect(read).toMatchObject({ bundleId, notification: { topic: built.topic, pushType: 'liveactivity' } })
})

test('any payload and bundle id', () => {
  const text = fc.string().filter((key) => key !== 'Simulator Target Bundle' && key !== '__proto__')
  const property = fc.property(
    fc.dictionary(
      text,
      fc.jsonValue().filter((value) => !Object.is(value, -0)),
      { maxKeys: 5 },
    ),
    fc.constantFrom(undefined, 'com.example.app', 'dev.carillon.other'),
    (payload, target) => {
      const read = decodeSimulatorFile(encodeSimulatorFile({ payload: JSON.stringify(payload) }, target))
      expect(read.bundleId).toBe(target)
      expect(JSON.stringify(read.notification.payload)).toBe(JSON.stringify(payload))
      const { topic, pushType } = read.notification
      expect(pushType === undefined || pushType in pushTypes).toBe(true)
      if (topic !== undefined && pushType !== 'mdm') expect(bundleIdOf(topic, pushType)).toBe(target)
    },
  )
  fc.assert(property)
})

test.each([
  ['not JSON', '{'],
  ['not a JSON object', '[]'],
  ['no bundle id', '{"Simulator Target Bundle": 5}'],
  ['no bundle id', '{"Simulator Target Bundle": "a b"}'],
])('%s', (why, text) => {
  expect(() => decodeSimulatorFile(text)).toThrow(why)
})
