export type {
  Database,
  DatabaseOptions,
  DatabaseStatistics,
  Engine,
  Migration,
  PostgresOptions,
  Row,
  SqlDialect,
  SqliteOptions,
  SqlValue,
  Statement,
  Ticket,
  Write,
  WriteDone,
} from './database.ts'
export { DatabaseError, type DatabaseErrorCode } from './database-error.ts'
export { limits as databaseLimits } from './limits.ts'
export { openDatabase } from './open-database.ts'
