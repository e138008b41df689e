import { readFile } from 'node:fs/promises'
import { fidelityOf, ServiceError } from '@carillon/service'
import { environments } from '@carillon/wire'
import { LineCounter, parseDocument } from 'yaml'
import type { ZodError } from 'zod'
import type { $ZodIssue } from 'zod/v4/core'
import { type ServiceSettings, settingsOf } from '../service-settings.ts'
import { SystemError } from '../system-error.ts'
import { type Configuration, configurationSchema } from './configuration.ts'

/**
 * Reads a configuration file: YAML, every key optional.
 *
 * @throws SystemError `CONFIGURATION` that names the file, the line and the key
 */
export async function readConfiguration(file: string): Promise<Configuration> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : 'cannot be read'
    throw refused(`The configuration file ${file} ${why}.`, 'Name another with --config FILE.', cause)
  }
  return parseConfiguration(text, file)
}

/** @throws SystemError `CONFIGURATION`, see `readConfiguration` */
export function parseConfiguration(text: string, file: string): Configuration {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const [error] = document.errors
  if (error !== undefined) {
    const { line } = lines.linePos(error.pos[0])
    throw refused(`${file}, line ${line}, is no YAML: ${error.message}.`, 'Mend that line.', error)
  }
  const parsed = configurationSchema.safeParse(document.toJS() ?? {})
  if (parsed.success) {
    checkSwitches(parsed.data, file)
    return parsed.data
  }
  const { path, sentence } = firstFault(parsed.error)
  const node = path.length === 0 ? document.contents : document.getIn(path, true)
  const offset = rangeOf(node)?.[0]
  const where = offset === undefined ? file : `${file}, line ${lines.linePos(offset).line}`
  throw refused(
    `${where}: ${path.length === 0 ? '' : `${path.join('.')}: `}${sentence}.`,
    'See the complete file with its comments: carillon config print.',
    parsed.error,
  )
}

/** What only shows when an environment's own settings and those of both are put together. */
function checkSwitches({ pushService, ...own }: Configuration, file: string): void {
  const [sandbox, production] = environments.map((name) => switchFault(settingsOf(pushService, own[name])))
  const fault = sandbox ?? production
  if (fault === undefined) return
  const [first, second] = environments
  const isOfBoth = sandbox?.message === production?.message
  const where = isOfBoth ? 'pushService' : fault === sandbox ? first : second
  throw refused(`${file}: ${where}: ${fault.message}`, fault.fix, fault)
}

function switchFault({ fidelity }: ServiceSettings): ServiceError | undefined {
  try {
    fidelityOf(fidelity)
    return undefined
  } catch (error) {
    if (error instanceof ServiceError) return error
    throw error
  }
}

/** The first thing that is wrong, with the path of the key that says it. */
function firstFault(error: ZodError): { path: Path; sentence: string } {
  const { issue, path } = innermost(error.issues[0]!, [])
  if (issue.code === 'invalid_union' && issue.discriminator !== undefined)
    return { path, sentence: 'there is none of this name' }
  if (issue.code !== 'unrecognized_keys') return { path, sentence: lowerFirst(issue.message) }
  // The key itself stands in no path: it has no place in the schema.
  return { path: [...path, issue.keys[0]!], sentence: 'there is no such setting' }
}

type Path = readonly (string | number)[]

/** Where several forms are possible and none fits, the mistake is inside the one that comes closest. */
function innermost(issue: $ZodIssue, above: Path): { issue: $ZodIssue; path: Path } {
  const path = [...above, ...(issue.path as (string | number)[])]
  if (issue.code !== 'invalid_union') return { issue, path }
  const within = issue.errors.flatMap(([first]) => (first === undefined ? [] : [innermost(first, path)]))
  const deepest = within.toSorted((a, b) => b.path.length - a.path.length)[0]
  return deepest !== undefined && deepest.path.length > path.length ? deepest : { issue, path }
}

function rangeOf(node: unknown): readonly number[] | undefined {
  return (node as { range?: readonly number[] } | null | undefined)?.range
}

function lowerFirst(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`
}

function refused(message: string, fix: string, cause: unknown): SystemError {
  return new SystemError('CONFIGURATION', message, fix, cause)
}
