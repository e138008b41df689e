import type { Case } from './case.ts'

/** What keeps a push from being sent at all. */
export const inPushes: readonly Case[] = [
  ['no system there', 'push --data @nowhere $sandbox $token --alert a $key', 'NOT_RUNNING', /nowhere/],
  [
    'payload missing',
    'push $data $sandbox $token --payload @missing.json $key',
    'FILE_UNREADABLE',
    /missing\.json/,
  ],
  [
    'payload not JSON',
    'push $data $sandbox $token --payload @not-json.json $key',
    'PAYLOAD_NOT_JSON',
    /not-json\.json/,
  ],
  [
    'payload empty',
    'push $data $sandbox $token --payload @empty.json $key',
    'PAYLOAD_NOT_JSON',
    /empty\.json/,
  ],
  [
    'payload is no object',
    'push $data $sandbox $token --payload @list.json $key',
    'PAYLOAD_NOT_JSON',
    /list\.json/,
  ],
  [
    'key missing',
    'push $data $sandbox $token --alert a --key @missing.p8 --key-id $keyId --team-id $team',
    'FILE_UNREADABLE',
    /missing\.p8/,
  ],
  [
    'key that is none',
    'push $data $sandbox $token --alert a --key @not-pem --key-id $keyId --team-id $team',
    /./,
    /key/i,
  ],
  [
    'certificate missing',
    'push $data $sandbox $token --alert a --cert @missing.pem --cert-key $certKey',
    'FILE_UNREADABLE',
    /missing\.pem/,
  ],
  [
    'certificate broken',
    'push $data $sandbox $token --alert a --cert @broken.pem --cert-key $certKey',
    /./,
    /certificate/,
  ],
  [
    'certificate that is none',
    'push $data $sandbox $token --alert a --cert @not-pem --cert-key $certKey',
    /./,
    /certificate/,
  ],
  [
    'key of another certificate',
    'push $data $sandbox $token --alert a --cert $cert --cert-key $otherKey',
    /./,
    /key/,
  ],
  [
    'root certificate missing',
    'push --connect $gateway --ca @missing.pem $sandbox $token --alert a $key',
    'FILE_UNREADABLE',
    /missing\.pem/,
  ],
  [
    'root certificate that is none',
    'push --connect $gateway --ca @not-pem $sandbox $token --alert a $key',
    /./,
    /certificate|--ca/,
  ],
]
