/*
 * Run as a process of its own, to be killed: makes tokens inactive without end and writes a line to stdout for each
 * that was confirmed, by the device's word and by installing its app anew in turn.
 *
 *   node deactivate-and-tell.ts FILE
 */
import { randomBytes } from 'node:crypto'
import { openDatabase } from '@carillon/database'
import { topicHash } from '@carillon/wire'
import { migrations } from '../../src/migrations.ts'
import { openRegistry } from '../../src/registry/open-registry.ts'
import { bundleId, MemoryAuthority } from '../memory-authority.ts'

const database = await openDatabase({ engine: 'sqlite', file: process.argv[2]!, migrations })
const authority = new MemoryAuthority()
authority.setApp(bundleId)
const random = (bytes: number) => randomBytes(bytes)
const registry = openRegistry({ database, authority, now: Date.now, random })

async function endTokens(name: string): Promise<void> {
  const { id } = await registry.enrolDevice(name)
  for (let count = 0; ; count++) {
    const { token } = (await registry.issueToken(id, topicHash(bundleId), random(8)))!
    if (count % 2 === 0) await registry.deactivateToken(token, Date.now())
    else await registry.issueToken(id, topicHash(bundleId), random(8))
    process.stdout.write(`${token}\n`)
  }
}
await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map(endTokens))
