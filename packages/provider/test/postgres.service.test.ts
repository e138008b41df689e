import { randomBytes } from 'node:crypto'
import { openDatabase } from '@carillon/database'
import { expect, test } from 'vitest'
import { providerMigrations } from '../src/index.ts'
import { allAre, newToken, start, token } from './support/world.ts'

const url = process.env.PGURL ?? 'postgres://postgres@127.0.0.1:5432/test'

test('two providers on one PostgreSQL send each message once', async () => {
  const schema = `carillon_provider_${randomBytes(6).toString('hex')}`
  const open = () => openDatabase({ engine: 'postgres', url, schema, migrations: providerMigrations })
  const databases = [await open(), await open()]
  const [first, second] = [await start({ database: databases[0]! }), await start({ database: databases[1]! })]
  try {
    await first!.prepare()
    const tokens = [token, ...Array.from({ length: 300 }, newToken)]
    const message = { bundleId: 'com.example.app', environment: 'sandbox', notification: { title: 'x' } }
    const ids = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        (index % 2 === 0 ? first : second)!.send({ ...message, tokens }),
      ),
    )
    for (const id of ids) await second!.recipientsUntil(id, allAre('sent'))
    const sent = [...first!.service.pushes, ...second!.service.pushes].map(({ apnsId }) => apnsId)
    expect(sent).toHaveLength(10 * tokens.length)
    expect(new Set(sent).size).toBe(sent.length)
  } finally {
    await first!.provider.close()
    await second!.provider.close()
    await databases[0]!.run(databases[0]!.prepare(`DROP SCHEMA ${schema} CASCADE`), [])
    for (const database of databases) await database.close()
  }
})
