import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import type { Row } from './scenario.ts'

export interface Result {
  readonly id: string
  readonly title: string
  readonly rows: readonly Row[]
}

const columns = ['', 'setting', 'measure', 'Carillon', 'peer', 'its figure', 'ratio'] as const

/** All results as one table in Markdown, aligned so that it reads well in a terminal. */
export function tableOf(results: readonly Result[]): string {
  const lines = results.flatMap(({ id, rows }) => rows.map((row) => cellsOf(id, row)))
  const widths = columns.map((title, at) =>
    Math.max(title.length, ...lines.map((cells) => cells[at]!.length)),
  )
  const isNumber = (at: number): boolean => at === 3 || at >= 5
  const lineOf = (cells: readonly string[]): string =>
    `| ${cells.map((cell, at) => (isNumber(at) ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!))).join(' | ')} |`
  const rule = widths.map((width, at) => (isNumber(at) ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)))
  return [lineOf(columns), lineOf(rule), ...lines.map(lineOf)].join('\n')
}

function cellsOf(id: string, row: Row): string[] {
  const { theirs } = row
  const isAlone = row.peer === ''
  return [
    id,
    row.setting,
    row.measure,
    figure(row.ours),
    isAlone ? '–' : row.peer,
    theirs === undefined ? (isAlone ? '–' : 'not installed') : figure(theirs),
    theirs === undefined ? '–' : `${figure(ratioOf(row.ours, theirs, row.isMoreBetter))}×`,
  ]
}

/** How many times as good we are: above 1 we are ahead, whether more or less is better. */
function ratioOf(ours: number, theirs: number, isMoreBetter: boolean): number {
  return isMoreBetter ? ours / theirs : theirs / ours
}

function figure(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en-US')
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

/** What the figures depend on. */
export function machine(): string {
  const models = new Set(cpus().map(({ model }) => model.trim()))
  return `${cpus().length} × ${[...models].join(', ')}, Node ${process.versions.node}, ${process.platform}`
}

const documentFile = new URL('../../../docs/benchmarks.md', import.meta.url)
const begin = '<!-- table: begin -->'
const end = '<!-- table: end -->'

/** Puts the table between its marks in docs/benchmarks.md. */
export function writeDocument(text: string): void {
  const document = readFileSync(documentFile, 'utf8')
  const from = document.indexOf(begin)
  const to = document.indexOf(end)
  if (from < 0 || to < from) throw new Error(`docs/benchmarks.md has no "${begin}" before an "${end}".`)
  writeFileSync(documentFile, `${document.slice(0, from)}${begin}\n${text}\n${document.slice(to)}`)
}
