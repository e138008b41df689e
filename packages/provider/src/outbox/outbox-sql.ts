import type { Engine } from '@carillon/database'

/** The statements of the outbox. */
export function outboxSql(engine: Engine) {
  // Several provider processes may claim from one PostgreSQL at once: each takes what no other holds.
  const skipLocked = engine === 'postgres' ? 'FOR UPDATE SKIP LOCKED' : ''
  return {
    insertMessage: `
      INSERT INTO message (id, bundle_id, topic, push_type, priority, expiration, collapse_id, payload,
        created_at, expires_at, idempotency_key, request_hash)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    insertRecipient: `
      INSERT INTO recipient (message_id, position, token, bundle_id, environment, apns_id, state, due_at,
        status, reason, answered_at, attempts)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`,
    byKey: 'SELECT id, request_hash FROM message WHERE idempotency_key = ?',
    claim: `
      UPDATE recipient SET state = 'sending', owner = ?, due_at = ?, attempts = attempts + 1
      WHERE id IN (
        SELECT id FROM recipient WHERE bundle_id = ? AND environment = ? AND due_at <= ?
        ORDER BY due_at, id LIMIT ? ${skipLocked}
      )
      RETURNING id, message_id, token, apns_id, attempts`,
    nextDue:
      'SELECT min(due_at) AS due_at FROM recipient WHERE bundle_id = ? AND environment = ? AND due_at IS NOT NULL',
    finish: `
      UPDATE recipient SET state = ?, due_at = ?, status = ?, reason = ?, answered_at = ?, owner = NULL
      WHERE id = ? AND owner = ? AND attempts = ?`,
    message: 'SELECT * FROM message WHERE id = ?',
    recipients: `
      SELECT token, environment, apns_id, state, attempts, status, reason, answered_at, due_at
      FROM recipient WHERE message_id = ? ORDER BY position`,
    endLeases: "UPDATE recipient SET due_at = ? WHERE state = 'sending' AND due_at IS NOT NULL",
    sweep:
      'DELETE FROM message WHERE id IN (SELECT id FROM message WHERE created_at < ? ORDER BY created_at LIMIT ?)',
  } as const
}
