import { binaryProblems, binaryStatuses } from '../../src/binary/index.ts'
import { courierMessages } from '../../src/courier/index.ts'
import type { MessageRow } from '../../src/courier/message-row.ts'

const hex = (value: number) => `\`${value.toString(16).padStart(2, '0')}\``

/** The rows of the message table in docs/protocols/courier.md, as the code has them. */
export function documentedMessages(): string[] {
  const rows = Object.entries(courierMessages as Record<string, MessageRow>)
  return rows
    .toSorted(([, left], [, right]) => left.command - right.command)
    .map(([type, row]) => {
      const fields = Object.entries(row.fields).map(([name, field]) => {
        const marks = `${field.required ? '!' : ''}${field.many ? '…' : ''}`
        return `${hex(field.id)} ${name}${marks} ${field.kind}`
      })
      return `| ${hex(row.command)} | ${row.from} | ${type} | ${fields.join(' · ') || 'none'} |`
    })
}

/** The rows of the status table in docs/protocols/binary-and-feedback.md, as the code has them. */
export function documentedStatuses(): string[] {
  return Object.entries(binaryStatuses).map(([name, { code, meaning, gatewayReason }]) => {
    const problems = Object.entries(binaryProblems).filter(([, problem]) => problem.status === name)
    const causes = problems.map(([, problem]) => problem.meaning).join('; ') || '–'
    return `| ${code} | ${meaning} | ${gatewayReason ?? '–'} | ${causes} |`
  })
}
