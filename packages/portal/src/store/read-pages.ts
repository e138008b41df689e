import type { Database, Row } from '@carillon/database'

const rowsPerPage = 10_000 // well below what one read of the database may return

/**
 * All rows of a query without WHERE and ORDER BY, read in pages along a unique text column, so that a large table
 * neither exceeds the limit of one read nor blocks others for long.
 */
export async function readPages(database: Database, query: string, column: string): Promise<Row[]> {
  const statement = database.prepare(`${query} WHERE ${column} > ? ORDER BY ${column} LIMIT ${rowsPerPage}`)
  const rows: Row[] = []
  let after = ''
  for (;;) {
    const page = await database.all(statement, [after])
    for (const row of page) rows.push(row)
    if (page.length < rowsPerPage) return rows
    after = String(page[page.length - 1]?.[column])
  }
}
