import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { alertKeys, apsKeys, type KeyRow, pushTypeTable, type Reason, reasonTable } from '../../src/index.ts'

/** The generated tables of the protocol pages, made from the rows. */
const pages: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'provider-api.md': {
    'push-types': table(
      ['apns-push-type', 'Topic', 'Payload bytes', 'Priorities', 'Platforms', 'Meaning'],
      pushTypeTable.map((row) => [
        `\`${row.value}\``,
        row.topicBase === 'mdmUid'
          ? 'UID of the MDM push certificate'
          : row.suffix === ''
            ? 'bundle id'
            : `bundle id\`${row.suffix}\``,
        String(row.payloadBytesMax),
        row.priorities.join(', '),
        row.platforms,
        row.authentication === 'token' ? `${row.meaning} Needs a provider token.` : row.meaning,
      ]),
    ),
    reasons: reasonsOf('device'),
    'aps-keys': keysOf(apsKeys),
    'alert-keys': keysOf(alertKeys),
  },
  'broadcast-channels.md': { reasons: reasonsOf('channels') },
}

const cases = Object.entries(pages).flatMap(([page, sections]) =>
  Object.entries(sections).map(([name, text]) => [page, name, text] as const),
)

/** `UPDATE_DOCS=1` in front of the test command writes the pages instead of comparing them. */
test.each(cases)('%s: the table %s is that of the rows', (page, name, text) => {
  const file = new URL(`../../../../docs/protocols/${page}`, import.meta.url)
  const [before, found, after] = readFileSync(file, 'utf8').split(new RegExp(`<!-- /?${name} -->\\n`))
  if (process.env.UPDATE_DOCS === '1') {
    writeFileSync(file, `${before}<!-- ${name} -->\n${text}<!-- /${name} -->\n${after}`)
  } else {
    expect(found).toBe(text)
  }
})

function reasonsOf(api: Reason['api']): string {
  const rows = reasonTable.filter((reason) => reason.api === 'both' || reason.api === api)
  return table(
    ['Status', 'Reason', 'Meaning', 'What to do', 'Again?'],
    rows.map((reason) => {
      const others = new Set([reason.documentedText, ...reason.alternatives])
      others.delete(reason.text)
      const spelled = [...others].map((text) => ` (also \`${text}\`)`).join('')
      return [String(reason.status), `\`${reason.text}\`${spelled}`, reason.meaning, reason.fix, reason.retry]
    }),
  )
}

function keysOf(rows: Readonly<Record<string, KeyRow>>): string {
  return table(
    ['Key', 'Value', 'Meaning'],
    Object.entries(rows).map(([key, row]) => {
      const only = row.only === undefined ? '' : ` (${row.only.join(', ')})`
      return [`\`${key}\``, row.expected, row.meaning + only]
    }),
  )
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
  return `${lines.join('\n')}\n`
}
