import { expect, test } from 'vitest'
import { RecentMap } from '../src/recent-map.ts'

test('never holds more than its limit, and keeps what is asked for', () => {
  const map = new RecentMap<number, string>(100)
  map.set(-1, 'wanted')
  for (let key = 0; key < 1000; key++) {
    map.set(key, `value ${key}`)
    expect(map.get(-1)).toBe('wanted')
    expect(map.size).toBeLessThanOrEqual(100)
  }
  expect(map.get(999)).toBe('value 999')
  expect(map.get(0)).toBeUndefined()
})

test('a value that was set anew is the one that is found, whichever generation held the old one', () => {
  const map = new RecentMap<string, number>(4)
  map.set('a', 1)
  map.set('b', 1)
  map.set('c', 1)
  map.set('a', 2)
  expect(map.get('a')).toBe(2)
})

test('a deleted entry is gone from both generations', () => {
  const map = new RecentMap<string, number>(4)
  for (const key of ['a', 'b', 'c', 'a']) map.set(key, 1)
  map.delete('a')
  expect(map.get('a')).toBeUndefined()
  map.clear()
  expect(map.size).toBe(0)
})
