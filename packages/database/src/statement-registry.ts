import type { Statement } from './database.ts'
import { DatabaseError } from './database-error.ts'
import { limits } from './limits.ts'

/** Numbers the statements of one database, the same text once. */
export class StatementRegistry {
  readonly #bySql = new Map<string, Statement>()
  readonly #onNew: (statement: Statement) => void

  constructor(onNew: (statement: Statement) => void) {
    this.#onNew = onNew
  }

  prepare(sql: string): Statement {
    const known = this.#bySql.get(sql)
    if (known !== undefined) return known
    if (this.#bySql.size >= limits.statementsMax) {
      throw new DatabaseError(
        'DATABASE_STATEMENT',
        `More than ${limits.statementsMax} statements were prepared; put values into parameters, not into the SQL.`,
      )
    }
    const statement: Statement = { id: this.#bySql.size, sql }
    this.#bySql.set(sql, statement)
    this.#onNew(statement)
    return statement
  }
}
