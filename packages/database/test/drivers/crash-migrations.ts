import type { Migration } from '../../src/index.ts'

export const crashMigrations: readonly Migration[] = [
  {
    name: 'numbered',
    up: ({ integer, blob }) => `CREATE TABLE numbered (id ${integer} PRIMARY KEY, body ${blob} NOT NULL)`,
  },
]
