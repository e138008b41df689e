import { limits } from '../limits.ts'
import { type SubjectCells, subjectCells } from '../metrics/subject-cells.ts'
import type { CountedSubject } from './open-block.ts'

/** A subject as the recorder uses it: where its counts are, too. */
export interface Subject extends CountedSubject {
  readonly cells: SubjectCells
}

/**
 * The subjects in use. The last one is kept at hand: pushes come in runs. Beyond `traceSubjectsMax` (a provider
 * may name any topic in a push that is rejected) the table begins anew.
 */
export class SubjectTable {
  #last: Subject | undefined
  #byTopic = new Map<string, Subject[]>()
  #size = 0

  /** @param reason of a rejection; else '' */
  of(app: string, topic: string, pushType: string, reason: string): Subject {
    const last = this.#last
    if (last !== undefined && isSame(last, app, topic, pushType, reason)) return last
    let subjects = this.#byTopic.get(topic)
    if (subjects === undefined) {
      subjects = []
      if (this.#size < limits.traceSubjectsMax) this.#byTopic.set(topic, subjects)
    }
    for (const known of subjects) {
      if (isSame(known, app, topic, pushType, reason)) {
        this.#last = known
        return known
      }
    }
    return this.#add(subjects, app, topic, pushType, reason)
  }

  #add(subjects: Subject[], app: string, topic: string, pushType: string, reason: string): Subject {
    if (this.#size >= limits.traceSubjectsMax) {
      this.#byTopic = new Map([[topic, subjects]])
      this.#size = 0
    }
    const cells = subjectCells()
    const made: Subject = { app, topic, pushType, reason, cells, block: undefined, place: 0 }
    subjects.push(made)
    this.#size++
    this.#last = made
    return made
  }
}

function isSame(subject: Subject, app: string, topic: string, pushType: string, reason: string): boolean {
  return (
    subject.topic === topic &&
    subject.pushType === pushType &&
    subject.reason === reason &&
    subject.app === app
  )
}
