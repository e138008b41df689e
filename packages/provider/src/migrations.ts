import type { Migration } from '@carillon/database'

/** The schema of the provider. Times are milliseconds since 1970. */
export const providerMigrations: readonly Migration[] = [
  {
    name: 'apps, devices, outbox',
    up: ({ integer, blob, serial }) => `
      CREATE TABLE app (
        bundle_id TEXT PRIMARY KEY,
        created_at ${integer} NOT NULL,
        updated_at ${integer} NOT NULL
      );

      -- How an app reaches one environment. Holds private keys: the database file is for its owner only.
      CREATE TABLE app_environment (
        bundle_id TEXT NOT NULL REFERENCES app (bundle_id),
        environment TEXT NOT NULL,
        credentials TEXT NOT NULL,
        connect TEXT,
        updated_at ${integer} NOT NULL,
        PRIMARY KEY (bundle_id, environment)
      );

      -- A token has one owner: registering it again moves it.
      CREATE TABLE device (
        token TEXT PRIMARY KEY,
        bundle_id TEXT NOT NULL,
        environment TEXT NOT NULL,
        user_name TEXT,
        locale TEXT,
        registered_at ${integer} NOT NULL,
        last_registered_at ${integer} NOT NULL,
        retired_at ${integer},
        retired_reason TEXT
      );

      CREATE TABLE message (
        id TEXT PRIMARY KEY,
        bundle_id TEXT NOT NULL,
        topic TEXT NOT NULL,
        push_type TEXT NOT NULL,
        priority ${integer} NOT NULL,
        expiration ${integer} NOT NULL,
        collapse_id TEXT,
        payload TEXT NOT NULL,
        created_at ${integer} NOT NULL,
        expires_at ${integer} NOT NULL,
        idempotency_key TEXT UNIQUE,
        request_hash ${blob}
      );
      CREATE INDEX message_created_at ON message (created_at);

      -- due_at: when the next attempt may start; while it is sent, when its lease ends; null when it is final.
      CREATE TABLE recipient (
        id ${serial},
        message_id TEXT NOT NULL REFERENCES message (id) ON DELETE CASCADE,
        position ${integer} NOT NULL,
        token TEXT NOT NULL,
        bundle_id TEXT NOT NULL,
        environment TEXT NOT NULL,
        apns_id TEXT NOT NULL,
        state TEXT NOT NULL,
        due_at ${integer},
        owner TEXT,
        attempts ${integer} NOT NULL,
        status ${integer},
        reason TEXT,
        answered_at ${integer}
      );
      CREATE UNIQUE INDEX recipient_message ON recipient (message_id, position);
      CREATE INDEX recipient_due ON recipient (bundle_id, environment, due_at) WHERE due_at IS NOT NULL;
    `,
  },
]
