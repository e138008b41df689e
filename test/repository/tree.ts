import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

export interface TreeFile {
  /** Relative to the root, with forward slashes. */
  readonly path: string
  readonly text: string
}

/** Every file that git knows or would add, whose path matches; deleted ones left out. */
export function filesMatching(pattern: RegExp): TreeFile[] {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '--deduplicate'], {
    cwd: root,
    encoding: 'utf8',
  })
  const deleted = new Set(
    execFileSync('git', ['ls-files', '-d'], { cwd: root, encoding: 'utf8' }).split('\n'),
  )
  return listed
    .split('\n')
    .filter((path) => pattern.test(path) && !deleted.has(path))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
}

/** The text without comments and, if asked, without the contents of strings; line breaks stay. */
function withoutComments(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|[^:'"`\\])\/\/[^\n]*/g, '$1')
}

/** `path:line: found` for each match. */
export function places(file: TreeFile, pattern: RegExp): string[] {
  const found: string[] = []
  withoutComments(file.text)
    .split('\n')
    .forEach((line, index) => {
      const match = pattern.exec(line)
      if (match) found.push(`${file.path}:${index + 1}: ${match[0]}`)
    })
  return found
}
