import type { Migration } from '@carillon/database'

/*
 * The databases of the first release as it made them, word for word. Nothing here follows the sources: this is
 * what people have on their disks.
 */

export const firstPortalSchema: readonly Migration[] = [
  {
    name: '0001-first',
    up: `
      CREATE TABLE apps (
        bundle_id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        push INTEGER NOT NULL,
        inbox_max INTEGER NOT NULL,
        created_at INTEGER NOT NULL
      );
      CREATE TABLE certificates (
        serial TEXT PRIMARY KEY,
        bundle_id TEXT NOT NULL REFERENCES apps (bundle_id),
        kind TEXT NOT NULL,
        not_before INTEGER NOT NULL,
        not_after INTEGER NOT NULL,
        revoked_at INTEGER,
        der BLOB NOT NULL
      );
      CREATE TABLE auth_keys (
        key_id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        environment TEXT NOT NULL,
        topics TEXT,
        created_at INTEGER NOT NULL,
        revoked_at INTEGER,
        public_key_pem TEXT NOT NULL
      );
      CREATE TABLE devices (
        device_id TEXT PRIMARY KEY,
        udid TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        registered INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        activated_at INTEGER,
        disabled_at INTEGER
      );
      CREATE TABLE device_certificates (
        serial TEXT PRIMARY KEY,
        device_id TEXT NOT NULL REFERENCES devices (device_id),
        not_after INTEGER NOT NULL,
        der BLOB NOT NULL
      );
      CREATE INDEX device_certificates_of_device ON device_certificates (device_id);
      CREATE INDEX devices_disabled ON devices (disabled_at) WHERE disabled_at IS NOT NULL;
      CREATE TABLE profiles (
        uuid TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        bundle_id TEXT NOT NULL REFERENCES apps (bundle_id),
        kind TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        der BLOB NOT NULL
      )`,
  },
]

export const firstServiceSchema: readonly Migration[] = [
  {
    name: 'registry',
    up: `
      CREATE TABLE devices (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        device_id TEXT NOT NULL UNIQUE,
        base_token BLOB NOT NULL,
        enrolled_at INTEGER NOT NULL
      );
      CREATE TABLE tokens (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        token BLOB NOT NULL UNIQUE,
        device INTEGER NOT NULL REFERENCES devices (id),
        bundle_id TEXT NOT NULL,
        topic TEXT NOT NULL,
        installation BLOB,
        issued_at INTEGER NOT NULL,
        inactive_since INTEGER NOT NULL DEFAULT 0
      );
      CREATE UNIQUE INDEX tokens_active ON tokens (device, topic) WHERE inactive_since = 0;`,
  },
  {
    name: 'messages',
    up: `
      CREATE TABLE messages (
        seq INTEGER PRIMARY KEY,
        device INTEGER NOT NULL,
        app TEXT NOT NULL,
        collapse_id TEXT NOT NULL,
        inbox INTEGER NOT NULL,
        expires INTEGER NOT NULL,
        record BLOB NOT NULL
      );
      CREATE INDEX messages_device ON messages (device, app, seq, inbox, expires);`,
  },
]

export const firstProviderSchema: readonly Migration[] = [
  {
    name: 'apps, devices, outbox',
    up: `
      CREATE TABLE app (
        bundle_id TEXT PRIMARY KEY,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL
      );
      CREATE TABLE app_environment (
        bundle_id TEXT NOT NULL REFERENCES app (bundle_id),
        environment TEXT NOT NULL,
        credentials TEXT NOT NULL,
        connect TEXT,
        updated_at INTEGER NOT NULL,
        PRIMARY KEY (bundle_id, environment)
      );
      CREATE TABLE device (
        token TEXT PRIMARY KEY,
        bundle_id TEXT NOT NULL,
        environment TEXT NOT NULL,
        user_name TEXT,
        locale TEXT,
        registered_at INTEGER NOT NULL,
        last_registered_at INTEGER NOT NULL,
        retired_at INTEGER,
        retired_reason TEXT
      );
      CREATE TABLE message (
        id TEXT PRIMARY KEY,
        bundle_id TEXT NOT NULL,
        topic TEXT NOT NULL,
        push_type TEXT NOT NULL,
        priority INTEGER NOT NULL,
        expiration INTEGER NOT NULL,
        collapse_id TEXT,
        payload TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        idempotency_key TEXT UNIQUE,
        request_hash BLOB
      );
      CREATE INDEX message_created_at ON message (created_at);
      CREATE TABLE recipient (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        message_id TEXT NOT NULL REFERENCES message (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        token TEXT NOT NULL,
        bundle_id TEXT NOT NULL,
        environment TEXT NOT NULL,
        apns_id TEXT NOT NULL,
        state TEXT NOT NULL,
        due_at INTEGER,
        owner TEXT,
        attempts INTEGER NOT NULL,
        status INTEGER,
        reason TEXT,
        answered_at INTEGER
      );
      CREATE UNIQUE INDEX recipient_message ON recipient (message_id, position);
      CREATE INDEX recipient_due ON recipient (bundle_id, environment, due_at) WHERE due_at IS NOT NULL;`,
  },
]
