/** The limits of this package, each with what happens when it is reached. */
export const limits = {
  /** Rows (statements) in one commit; further ones wait for the next commit. */
  rowsPerCommitMax: 2048,
  /** Packed bytes in one commit; further units wait for the next commit. A larger unit commits alone. */
  bytesPerCommitMax: 1024 * 1024,
  /** Statements of one unit (its header counts them in 16 bits); above it the call fails with DATABASE_STATEMENT. */
  writesPerUnitMax: 65_535,
  /** Statements that wait for a commit; above it `write` is refused with DATABASE_BUSY. */
  rowsWaitingMax: 65_536,
  /** Packed bytes that wait for a commit; above it `write` is refused with DATABASE_BUSY. */
  bytesWaitingMax: 64 * 1024 * 1024,
  /** Reads that wait for the reader; above it they are refused with DATABASE_BUSY. */
  readsWaitingMax: 16_384,
  /** Rows that one read returns; above it the read fails with DATABASE_TOO_MANY_ROWS (use a cursor column). */
  rowsPerReadMax: 100_000,
  /** Statements that one database registers; `prepare` throws above it (SQL must not hold values). */
  statementsMax: 4096,
  /** Interactive transactions that wait for the writer; above it they are refused with DATABASE_BUSY. */
  interactiveTransactionsWaitingMax: 1024,
  /** Time that one interactive transaction may hold the writer; then it is rolled back. */
  interactiveTransactionMsMax: 10_000,
  /** Size of the write-ahead log at which the writer moves it into the database file. */
  walBytesBeforeCheckpoint: 16 * 1024 * 1024,
  /** Size to which the write-ahead log is cut after a checkpoint, should readers have let it grow. */
  walBytesKept: 32 * 1024 * 1024,
  /** Time to connect to PostgreSQL, or to get one of its connections; then the call fails with DATABASE_UNREACHABLE. */
  postgresConnectMsMax: 10_000,
  /** Connections to PostgreSQL for reads and queries; further ones wait for a free one. */
  postgresPoolMax: 8,
} as const
