import type { Case } from './case.ts'

/** What keeps feedback from being read. */
export const inFeedback: readonly Case[] = [
  [
    'no system there',
    'feedback --data @nowhere $own --cert $cert --cert-key $certKey',
    'NOT_RUNNING',
    /nowhere/,
  ],
  [
    'certificate missing',
    'feedback $data $own --cert @none.pem --cert-key $certKey',
    'FILE_UNREADABLE',
    /none\.pem/,
  ],
  ['certificate that is none', 'feedback $data $own --cert @not-pem --cert-key $certKey', /./, /certificate/],
  ['key of another certificate', 'feedback $data $own --cert $cert --cert-key $otherKey', /./, /key/],
  [
    'certificate of the other environment',
    'feedback $data --environment production --cert $cert --cert-key $certKey',
    'CUT_OFF',
    /certificate/,
  ],
  [
    'nobody listens',
    'feedback --connect 127.0.0.1:1 $own --cert $cert --cert-key $certKey',
    'CONNECT_FAILED',
    /127\.0\.0\.1:1/,
  ],
]
