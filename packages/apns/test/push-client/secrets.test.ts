import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { clientOf, ScriptedService } from '../support/service.ts'

test('what is inspected or printed has no secret in it', () => {
  const client = clientOf(new ScriptedService({ onRequest: (request) => request.accept() }))
  const shown = inspect(client, { depth: 10, showHidden: true }) + String(JSON.stringify(client))
  expect(shown).toContain('PushClient sandbox push.test:443')
  expect(shown).not.toMatch(/PRIVATE|BEGIN|bearer/)
})
