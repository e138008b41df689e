import type { Migration } from '@carillon/database'

/** The schema of `portal.db`. A published step is never changed: a new one is added behind it. */
export const migrations: readonly Migration[] = [
  {
    name: '0001-first',
    up: ({ integer, blob }) => `
      CREATE TABLE apps (
        bundle_id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        push ${integer} NOT NULL,
        inbox_max ${integer} NOT NULL,
        created_at ${integer} NOT NULL
      );
      CREATE TABLE certificates (
        serial TEXT PRIMARY KEY,
        bundle_id TEXT NOT NULL REFERENCES apps (bundle_id),
        kind TEXT NOT NULL,
        not_before ${integer} NOT NULL,
        not_after ${integer} NOT NULL,
        revoked_at ${integer},
        der ${blob} NOT NULL
      );
      CREATE TABLE auth_keys (
        key_id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        environment TEXT NOT NULL,
        topics TEXT,
        created_at ${integer} NOT NULL,
        revoked_at ${integer},
        public_key_pem TEXT NOT NULL
      );
      CREATE TABLE devices (
        device_id TEXT PRIMARY KEY,
        udid TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        registered ${integer} NOT NULL,
        created_at ${integer} NOT NULL,
        activated_at ${integer},
        disabled_at ${integer}
      );
      CREATE TABLE device_certificates (
        serial TEXT PRIMARY KEY,
        device_id TEXT NOT NULL REFERENCES devices (device_id),
        not_after ${integer} NOT NULL,
        der ${blob} NOT NULL
      );
      CREATE INDEX device_certificates_of_device ON device_certificates (device_id);
      CREATE INDEX devices_disabled ON devices (disabled_at) WHERE disabled_at IS NOT NULL;
      CREATE TABLE profiles (
        uuid TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        bundle_id TEXT NOT NULL REFERENCES apps (bundle_id),
        kind TEXT NOT NULL,
        created_at ${integer} NOT NULL,
        expires_at ${integer} NOT NULL,
        der ${blob} NOT NULL
      )`,
  },
  {
    name: '0002-broadcast',
    up: ({ integer }) => `ALTER TABLE apps ADD COLUMN broadcast ${integer} NOT NULL DEFAULT 0`,
  },
  {
    name: '0003-related-keys',
    // Of two related keys the later one names the earlier one.
    up: () => 'ALTER TABLE auth_keys ADD COLUMN related_key_id TEXT',
  },
]
