import { expect, test } from 'vitest'
import { ownTurn } from '../../src/trace/drivers/own-turn.ts'

test('however many work through the journal, one slice is worked on in a turn of the event loop', async () => {
  let turn = 0
  let isDone = false
  const count = () => {
    turn++
    if (!isDone) setImmediate(count)
  }
  setImmediate(count)
  const turns: number[] = []
  const work = async () => {
    for (let slice = 0; slice < 20; slice++) {
      await ownTurn()
      turns.push(turn)
    }
  }
  await Promise.all([work(), work(), work(), work()])
  isDone = true
  expect(turns).toHaveLength(80)
  expect(new Set(turns).size).toBe(80)
})
