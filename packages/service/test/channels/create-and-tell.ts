/*
 * Run as a process of its own, to be killed: creates channels, publishes to some and deletes others without end, and
 * writes a line to stdout for each that was answered.
 *
 *   node create-and-tell.ts FILE
 */
import { randomBytes } from 'node:crypto'
import { openDatabase } from '@carillon/database'
import type { Channel } from '../../src/channels/channel.ts'
import { Channels } from '../../src/channels/channels.ts'
import { nextTurn } from '../../src/channels/drivers/next-turn.ts'
import { migrations } from '../../src/migrations.ts'
import { bundleId, MemoryAuthority } from '../memory-authority.ts'

const database = await openDatabase({ engine: 'sqlite', file: process.argv[2]!, migrations })
const authority = new MemoryAuthority()
authority.setApp(bundleId)
const channels = await Channels.open({
  ...{ database, authority, nextTurn },
  now: Date.now,
  random: (bytes) => randomBytes(bytes),
  onTrouble: (sentence) => {
    throw new Error(sentence)
  },
})

const tell = (what: string, { id }: Channel): void => void process.stdout.write(`${what} ${id}\n`)

async function work(number: number): Promise<void> {
  for (let count = number; ; count++) {
    const channel = await channels.create(bundleId, 1)
    if (!('idBytes' in channel)) return
    tell('created', channel)
    if (count % 3 === 1) {
      const expiration = Math.floor(Date.now() / 1000) + 3600
      const payload = Buffer.from(channel.id)
      await channels.publish(channel, { payload, priority: 10, expiration, requestId: new Uint8Array(16) })
      tell('published', channel)
    }
    if (count % 3 === 2) {
      await channels.remove(channel)
      tell('deleted', channel)
    }
  }
}

// Enough at once that commits hold several and others wait behind them.
await Promise.all(Array.from({ length: 20 }, (_, number) => work(number)))
