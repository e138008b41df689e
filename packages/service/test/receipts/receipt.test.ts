import { expect, test } from 'vitest'
import { receiptOf, receiptStages, receiptTypes } from '../../src/receipts/receipt.ts'
import { type Stage, stageNumbers, stages } from '../../src/trace/stages.ts'
import type { TraceEvent } from '../../src/trace/trace-event.ts'

const eventOf = (stage: Stage, more: Partial<TraceEvent> = {}): TraceEvent => ({
  ...{ cursor: '1.2', at: '2026-01-31T12:00:00.000Z', stage, apnsId: 'id', token: 'ab', app: 'app' },
  ...{ topic: 'app.voip', pushType: 'voip', priority: 10, device: 7 },
  ...more,
})
const common = {
  cursor: '1.2',
  at: '2026-01-31T12:00:00.000Z',
  apnsId: 'id',
  token: 'ab',
  app: 'app',
  topic: 'app.voip',
}

test.each([
  [eventOf('acknowledged', { status: 0, fromStorage: true }), { type: 'delivered' }],
  [eventOf('shown'), { type: 'shown' }],
  [eventOf('opened'), { type: 'opened' }],
  [eventOf('expired'), { type: 'expired' }],
  [eventOf('replaced', { by: 'newer' }), { type: 'replaced', by: 'newer' }],
  [eventOf('discarded', { why: 'disabled' }), { type: 'discarded', why: 'disabled' }],
  [eventOf('tokenInactive'), { type: 'tokenInactive' }],
])('%j becomes a receipt', (event, receipt) => {
  expect(receiptOf(event)).toEqual({ ...common, ...receipt })
})

test('what concerns nobody but the service becomes none', () => {
  const told = ['acknowledged', 'shown', 'opened', 'expired', 'replaced', 'discarded', 'tokenInactive']
  for (const stage of stages) {
    if (!told.includes(stage)) expect(receiptOf(eventOf(stage))).toBeUndefined()
  }
  expect(receiptOf(eventOf('acknowledged', { status: 2 }))).toBeUndefined()
})

test('each type is found by its stage, and gaps with all of them', () => {
  expect(receiptStages(['delivered'])).toEqual(new Set([stageNumbers.lost, stageNumbers.acknowledged]))
  expect(receiptStages(receiptTypes).size).toBe(receiptTypes.length + 1)
})
