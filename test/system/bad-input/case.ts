import { expect } from 'vitest'
import type { JsonLine } from '../run-carillon.ts'
import type { PreparedPlace } from './prepared-place.ts'

/** What was done wrong, the command, its code, and what the sentence names. */
export type Case = readonly [what: string, command: string, code: string | RegExp, sentence: RegExp]

/** Runs the command for people and for programs: each time one clear sentence, and the exit code. */
export async function expectFailure(
  { place, words }: PreparedPlace,
  exit: number,
  [, command, code, sentence]: Case,
): Promise<void> {
  const [plain, json] = await Promise.all([
    place.carillon(...words(command)),
    place.carillon(...words(command), '--json'),
  ])
  expect(plain).toMatchObject({ stdout: '', stderr: expect.stringMatching(sentence) })
  // One line, and no trace of a stack.
  expect(plain.stderr).toMatch(/^.+\n$/)
  const { error } = JSON.parse(json.stderr) as { error: JsonLine }
  expect(error).toEqual({
    code: expect.stringMatching(code),
    message: expect.stringMatching(/.\.$/),
    fix: expect.stringMatching(/./),
  })
  expect(error.code).not.toBe('INTERNAL')
  expect(`${error.message} ${error.fix}`).toMatch(sentence)
  expect([plain.code, json.code, json.stdout]).toEqual([exit, exit, ''])
}
