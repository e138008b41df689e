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
  {
    name: 'channels',
    // A deleted channel keeps its row, so that its id is known and not given again.
    up: (sql) => `
      CREATE TABLE channels (
        id ${sql.blob} PRIMARY KEY,
        app TEXT NOT NULL,
        policy ${sql.integer} NOT NULL,
        created_at ${sql.integer} NOT NULL,
        deleted_at ${sql.integer} NOT NULL DEFAULT 0
      );
      CREATE INDEX channels_of_app ON channels (app) WHERE deleted_at = 0;
      CREATE INDEX channels_deleted ON channels (deleted_at) WHERE deleted_at > 0;
      CREATE TABLE channel_messages (
        channel ${sql.blob} PRIMARY KEY,
        published_us ${sql.integer} NOT NULL,
        expires ${sql.integer} NOT NULL,
        priority ${sql.integer} NOT NULL,
        request_id ${sql.blob} NOT NULL,
        payload ${sql.blob} NOT NULL
      );
      CREATE INDEX channel_messages_expires ON channel_messages (expires);
    `,
  },
  {
    name: 'feedback',
    // What the feedback service is still to tell. `seq` is the order in which tokens became inactive: a client
    // takes out all up to the place that it has read. Tokens that were inactive before have never been told.
    up: (sql) => `
      CREATE TABLE feedback (
        seq ${sql.serial},
        token ${sql.blob} NOT NULL UNIQUE,
        topic TEXT NOT NULL
      );
      CREATE INDEX feedback_topic ON feedback (topic, seq);
      INSERT INTO feedback (token, topic)
        SELECT token, topic FROM tokens WHERE inactive_since > 0 ORDER BY inactive_since;
    `,
  },
  {
    name: 'metrics',
    // One number an hour of what happened to notifications. `hour` is its begin in milliseconds since 1970.
    up: (sql) => `
      CREATE TABLE metrics (
        hour ${sql.integer} NOT NULL,
        app TEXT NOT NULL,
        push_type TEXT NOT NULL,
        priority ${sql.integer} NOT NULL,
        counter TEXT NOT NULL,
        value ${sql.integer} NOT NULL,
        PRIMARY KEY (hour, app, push_type, priority, counter)
      );
    `,
  },
  {
    name: 'tokenAsked',
    // When the app asked for its token last, to the day; 0: not since it was issued.
    up: (sql) => `ALTER TABLE tokens ADD COLUMN asked_at ${sql.integer} NOT NULL DEFAULT 0;`,
  },
]
