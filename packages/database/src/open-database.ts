import type { Database, DatabaseOptions } from './database.ts'
import { openSqliteDatabase } from './drivers/sqlite-database.ts'

/**
 * Opens a database, creating it where it does not exist and bringing its schema up to date.
 *
 * @throws DatabaseError with one plain sentence: DATABASE_UNREADABLE, DATABASE_NOT_A_DATABASE,
 *   DATABASE_LOCKED, DATABASE_UNREACHABLE, DATABASE_TOO_NEW, DATABASE_FOREIGN, DATABASE_MIGRATION_FAILED
 */
export async function openDatabase<Tables = unknown>(options: DatabaseOptions): Promise<Database<Tables>> {
  switch (options.engine) {
    case 'sqlite':
      return openSqliteDatabase<Tables>(options)
    case 'postgres': {
      // Few have their tables there: its client is loaded for them alone.
      const { openPostgresDatabase } = await import('./drivers/postgres-database.ts')
      return openPostgresDatabase<Tables>(options)
    }
  }
}
