import type { Presentation } from '@carillon/wire'

const widthMax = 60

/** A notification as a phone would show it, drawn for a terminal. */
export function bannerLines(bundleId: string, shown: Presentation): string[] {
  const text = [shown.title, shown.subtitle, shown.body].flatMap((part) =>
    part === undefined ? [] : wrapped(part),
  )
  const effects = [
    ...(shown.badge === undefined ? [] : [`badge ${shown.badge}`]),
    ...(shown.sound === undefined ? [] : [`sound ${shown.sound.name}`]),
    ...(shown.contentAvailable ? ['wakes the app'] : []),
  ].join(' · ')
  if (text.length === 0) return [`(${bundleId}: ${effects || 'nothing to show'})`]
  const lines = [bundleId, ...text, ...(effects ? [effects] : [])]
  const width = Math.max(...lines.map((line) => line.length))
  return [
    `╭${'─'.repeat(width + 2)}╮`,
    ...lines.map((line) => `│ ${line.padEnd(width)} │`),
    `╰${'─'.repeat(width + 2)}╯`,
  ]
}

/** Control characters would move the cursor: a notification must not write over the terminal. */
function wrapped(text: string): string[] {
  const lines: string[] = []
  for (const paragraph of text.split('\n')) {
    let line = ''
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
    for (const word of paragraph.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ').split(' ')) {
      if (line !== '' && line.length + 1 + word.length > widthMax) {
        lines.push(line)
        line = word
      } else line = line === '' ? word : `${line} ${word}`
    }
    lines.push(line)
  }
  return lines
}
