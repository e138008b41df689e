import { expect } from 'vitest'
import { ArgumentError } from '../../src/index.ts'

/** The ArgumentError that something throws. */
export const argumentErrorOf = (attempt: () => unknown): ArgumentError => {
  try {
    attempt()
  } catch (error) {
    if (error instanceof ArgumentError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

/** It throws an ArgumentError that names this field, also in its message. */
export const expectArgumentError = (field: string, attempt: () => unknown): void => {
  const { field: named, message } = argumentErrorOf(attempt)
  expect(named).toBe(field)
  expect(message.startsWith(`${field}: `)).toBe(true)
}
