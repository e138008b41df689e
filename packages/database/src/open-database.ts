import type { Database, DatabaseOptions } from './database.ts'
import { DatabaseError } from './database-error.ts'

/**
 * Opens a database, creating it where it does not exist and bringing its schema up to date.
 * Throws a DatabaseError with one plain sentence when it cannot.
 */
export async function openDatabase<Tables = unknown>(options: DatabaseOptions): Promise<Database<Tables>> {
  throw new DatabaseError('DATABASE_UNSUPPORTED', `no driver for ${options.engine} yet`)
}
