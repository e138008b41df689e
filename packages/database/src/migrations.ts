import type { Engine, Migration, SqlDialect } from './database.ts'
import { DatabaseError } from './database-error.ts'

/** The words in which the engines differ. */
const dialects: Record<Engine, SqlDialect> = {
  sqlite: { engine: 'sqlite', integer: 'INTEGER', blob: 'BLOB', serial: 'INTEGER PRIMARY KEY AUTOINCREMENT' },
  postgres: { engine: 'postgres', integer: 'BIGINT', blob: 'BYTEA', serial: 'BIGSERIAL PRIMARY KEY' },
}

/** A migration as SQL of one engine. */
export interface WrittenMigration {
  readonly name: string
  readonly sql: string
}

/** The table that records what was applied, in order. */
export const migrationsTable = 'carillon_migrations'

export function writeMigrations(migrations: readonly Migration[], engine: Engine): WrittenMigration[] {
  return migrations.map(({ name, up }) => ({ name, sql: typeof up === 'string' ? up : up(dialects[engine]) }))
}

/**
 * The migrations still to be applied. Throws when the database is newer than the program, or of another one.
 * @param applied names in the order of their application
 */
export function pendingMigrations(
  migrations: readonly WrittenMigration[],
  applied: readonly string[],
  database: string,
): readonly WrittenMigration[] {
  for (const [index, name] of applied.entries()) {
    const known = migrations[index]
    if (known === undefined) {
      throw new DatabaseError(
        'DATABASE_TOO_NEW',
        `${database} was made by a newer version (it has "${name}", which this version does not know); update the program or restore an older backup.`,
      )
    }
    if (known.name !== name) {
      throw new DatabaseError(
        'DATABASE_FOREIGN',
        `${database} belongs to something else: its step ${index + 1} is "${name}", expected "${known.name}"; choose another database.`,
      )
    }
  }
  return migrations.slice(applied.length)
}

/** Says which migration failed. */
export function migrationError(migration: WrittenMigration, database: string, cause: unknown): DatabaseError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new DatabaseError(
    'DATABASE_MIGRATION_FAILED',
    `The migration "${migration.name}" of ${database} failed and was undone: ${reason}.`,
    { cause },
  )
}
