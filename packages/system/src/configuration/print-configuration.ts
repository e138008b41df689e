import { stringify } from 'yaml'
import type { ZodType } from 'zod'
import { configurationSchema } from './configuration.ts'
import { factsOf, shapeOf } from './setting.ts'

/** Characters of a line of comment. */
const commentWidth = 110

/**
 * The complete configuration with its comments: every setting stands there with its default, commented out, so
 * that the file as printed changes nothing. It is the reference of the configuration, made from the schema.
 */
export function printConfiguration(): string {
  const title = '## Configuration of Carillon. What stands here commented out holds without it, too.'
  return `${[title, ...settingLines(configurationSchema.shape, '')].join('\n')}\n`
}

function settingLines(shape: Record<string, ZodType>, indent: string): string[] {
  return Object.entries(shape).flatMap(([key, row]) => {
    const facts = factsOf(row)
    const about = commentLines(facts?.description ?? '', indent)
    const below = facts?.default === undefined ? shapeOf(row) : undefined
    if (facts?.isRepeated === true) return ['', ...about, `${indent}# ${key}:`]
    if (below !== undefined) return ['', ...about, `${indent}${key}:`, ...settingLines(below, `${indent}  `)]
    const value = facts?.default
    const text = value === undefined ? `${key}:` : stringify({ [key]: value }).trimEnd()
    return [...(indent === '' ? [''] : []), ...about, ...text.split('\n').map((line) => `${indent}# ${line}`)]
  })
}

function commentLines(description: string, indent: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of description.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > commentWidth - indent.length) {
      lines.push(line)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
  }
  if (line !== '') lines.push(line)
  return lines.map((text) => `${indent}## ${text}`)
}
