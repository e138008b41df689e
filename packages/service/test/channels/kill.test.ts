import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { openDatabase } from '@carillon/database'
import { decodeChannelMark, encodeChannelId } from '@carillon/wire'
import { expect, onTestFinished, test } from 'vitest'
import { Channels } from '../../src/channels/channels.ts'
import { nextTurn } from '../../src/channels/drivers/next-turn.ts'
import { migrations } from '../../src/migrations.ts'
import { linesBeforeKill } from '../lines-before-kill.ts'
import { bundleId, MemoryAuthority } from '../memory-authority.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { decoded } from './channel-world.ts'

const script = new URL('create-and-tell.ts', import.meta.url)

test.each([1, 50, 600])(
  'kill -9 after %i answers: what was answered is as it was answered',
  async (lines) => {
    const file = join(temporaryDirectory(), 'service.db')
    const told = (await linesBeforeKill(script, file, lines)).map((line) => line.split(' '))
    const idsOf = (what: string) => told.filter(([word]) => word === what).map(([, id]) => id!)

    const database = await openDatabase({ engine: 'sqlite', file, migrations })
    onTestFinished(() => database.close())
    const authority = new MemoryAuthority()
    authority.setApp(bundleId)
    const channels = await Channels.open({
      ...{ database, authority, nextTurn },
      now: Date.now,
      random: (bytes) => randomBytes(bytes),
      onTrouble: (sentence) => expect.fail(sentence),
    })
    const listed = new Set(channels.list(bundleId))
    for (const id of idsOf('deleted')) {
      expect(listed.has(id)).toBe(false)
      expect(await channels.whyUnknown(bundleId, id)).toMatchObject({ text: 'ChannelNotRegistered' })
    }
    for (const id of idsOf('created').filter((id) => !listed.has(id))) {
      // Deleted by a request whose answer was lost with the process.
      expect(await channels.whyUnknown(bundleId, id)).toMatchObject({ text: 'ChannelNotRegistered' })
    }
    const kept: string[] = []
    for (const id of idsOf('published')) {
      await channels.stored.get(channels.find(bundleId, id)!, (message) => {
        kept.push(id)
        const { payload, channel } = decoded(message!)
        expect(Buffer.from(payload).toString()).toBe(id)
        expect(encodeChannelId(decodeChannelMark(channel!).channelId)).toBe(id)
      })
    }
    expect(kept).toEqual(idsOf('published'))
  },
)
