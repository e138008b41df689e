import { counters } from './counters.ts'

/** For each priority and counter the place in the counts, -1 until it is used. Saves a look-up for every event. */
export type SubjectCells = Int32Array

export function subjectCells(): SubjectCells {
  return new Int32Array(4 * counters.length).fill(-1)
}

/** The place of a priority and counter in `SubjectCells`. */
export function cellPlace(priority: number, counter: number): number {
  const row = priority === 10 ? 0 : priority === 5 ? 1 : priority === 1 ? 2 : 3
  return row * counters.length + counter
}
