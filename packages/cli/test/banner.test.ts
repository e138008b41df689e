import { type Payload, presentationOf } from '@carillon/wire'
import { expect, test } from 'vitest'
import { bannerLines } from '../src/banner.ts'

const shownOf = (payload: Payload) =>
  bannerLines('com.example', presentationOf(payload, { appState: 'background' }))

test('a banner holds title, subtitle, body and effects, framed', () => {
  const alert = { title: 'Title', subtitle: 'Subtitle', body: 'Body' }
  expect(shownOf({ aps: { alert, badge: 3, sound: 'default' } })).toEqual([
    '╭─────────────────────────╮',
    '│ com.example             │',
    '│ Title                   │',
    '│ Subtitle                │',
    '│ Body                    │',
    '│ badge 3 · sound default │',
    '╰─────────────────────────╯',
  ])
})

test('long text is wrapped between words', () => {
  const lines = shownOf({ aps: { alert: 'word '.repeat(40).trim() } })
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(64)
  expect(lines.join(' ').match(/word/g)).toHaveLength(40)
})

test('a notification cannot move the cursor of the terminal', () => {
  const shown = shownOf({ aps: { alert: 'a\u001b[2Jb\u009bc\rd' } }).join('')
  for (const control of ['\u001b', '\u009b', '\r']) expect(shown).not.toContain(control)
})

test('a silent push is told in one line', () => {
  expect(shownOf({ aps: { 'content-available': 1 } })).toEqual(['(com.example: wakes the app)'])
})
