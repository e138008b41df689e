import { describe, expect, it, test } from 'vitest'
import {
  bundleIdOf,
  checkTopic,
  type PushType,
  parsePushType,
  pushTypes,
  pushTypeTable,
  suffixedPushTypeOf,
  topicFor,
} from '../../src/index.ts'

/** Apple's table of suffixes and limits, typed in by hand. */
const documented: readonly (readonly [PushType, string, number])[] = [
  ['alert', '', 4096],
  ['background', '', 4096],
  ['voip', '.voip', 5120],
  ['complication', '.complication', 4096],
  ['fileprovider', '.pushkit.fileprovider', 4096],
  ['mdm', '', 4096],
  ['liveactivity', '.push-type.liveactivity', 4096],
  ['location', '.location-query', 4096],
  ['pushtotalk', '.voip-ptt', 4096],
  ['controls', '.push-type.controls', 4096],
  ['widgets', '.push-type.widgets', 4096],
]

describe('push types', () => {
  it('are those of the documented table', () => {
    const rows = pushTypeTable.map((row) => [row.value, row.suffix, row.payloadBytesMax])
    expect(rows).toEqual(documented)
    for (const [key, row] of Object.entries(pushTypes)) expect(row.value).toBe(key)
  })

  test.each(documented)('%s reads back', (value) => {
    expect(parsePushType(value)).toBe(value)
    expect(parsePushType(value.toUpperCase())).toBeUndefined()
  })

  it('need a provider token for location alone', () => {
    expect(pushTypeTable.filter((row) => row.authentication === 'token').map((row) => row.value)).toEqual([
      'location',
    ])
  })
})

describe('topics', () => {
  test.each(documented)('%s: bundle id and suffix %j', (pushType, suffix) => {
    const topic = topicFor('com.example.app', pushType)
    expect(topic).toBe(`com.example.app${suffix}`)
    expect(bundleIdOf(topic, pushType)).toBe('com.example.app')
    expect(checkTopic(topic, pushType)).toBeUndefined()
    expect(checkTopic(topic, undefined)).toBeUndefined()
    expect(bundleIdOf(topic)).toBe('com.example.app')
    expect(suffixedPushTypeOf(topic)).toBe(suffix === '' ? undefined : pushType)
  })

  it('of a push type agree with no other push type that has a suffix', () => {
    for (const [type] of documented) {
      for (const [other, otherSuffix] of documented) {
        const agrees = checkTopic(topicFor('com.example.app', type), other) === undefined
        if (other === 'mdm') expect(agrees).toBe(true)
        else expect(agrees).toBe(pushTypes[type].suffix === otherSuffix)
      }
    }
  })

  it('hold no bundle id when the suffix is missing or stands alone', () => {
    expect(bundleIdOf('com.example.app', 'voip')).toBeUndefined()
    expect(bundleIdOf('.voip', 'voip')).toBeUndefined()
    expect(suffixedPushTypeOf('.voip')).toBeUndefined()
  })
})
