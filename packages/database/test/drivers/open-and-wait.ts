/** Opens the database that its argument names, says how that went, and stays. */
import { type DatabaseError, openDatabase } from '../../src/index.ts'

try {
  await openDatabase({ engine: 'sqlite', file: process.argv[2]!, migrations: [] })
  console.log('open')
} catch (error) {
  console.log((error as DatabaseError).code)
  process.exit(1)
}
