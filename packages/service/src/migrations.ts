import type { Migration } from '@carillon/database'

/**
 * The schema of one environment's database, in order. Steps are only ever added at the end: a database that
 * somebody already has was made by the steps above.
 */
export const migrations: readonly Migration[] = [
  {
    name: 'registry',
    up: (sql) => `
      CREATE TABLE devices (
        id ${sql.serial},
        device_id TEXT NOT NULL UNIQUE,
        base_token ${sql.blob} NOT NULL,
        enrolled_at ${sql.integer} NOT NULL
      );
      CREATE TABLE tokens (
        id ${sql.serial},
        token ${sql.blob} NOT NULL UNIQUE,
        device ${sql.integer} NOT NULL REFERENCES devices (id),
        bundle_id TEXT NOT NULL,
        topic TEXT NOT NULL,
        installation ${sql.blob},
        issued_at ${sql.integer} NOT NULL,
        inactive_since ${sql.integer} NOT NULL DEFAULT 0
      );
      CREATE UNIQUE INDEX tokens_active ON tokens (device, topic) WHERE inactive_since = 0;
    `,
  },
  {
    name: 'messages',
    // `seq` is the order of acceptance. `inbox` is the inbox rule the message is kept under: how many may wait
    // for this app on this device, 0 for one that was sent to a connected device and must stay until its
    // acknowledgement. Rows are appended in order, so that only the index is written in random places;
    // it holds all that the inbox rule asks for, so that counting a queue touches no row.
    up: (sql) => `
      CREATE TABLE messages (
        seq ${sql.integer} PRIMARY KEY,
        device ${sql.integer} NOT NULL,
        app TEXT NOT NULL,
        collapse_id TEXT NOT NULL,
        inbox ${sql.integer} NOT NULL,
        expires ${sql.integer} NOT NULL,
        record ${sql.blob} NOT NULL
      );
      CREATE INDEX messages_device ON messages (device, app, seq, inbox, expires);
    `,
  },
]
