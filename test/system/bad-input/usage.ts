import type { Case } from './case.ts'

/** Commands that are not typed as they should be. */
export const wrongUsage: readonly Case[] = [
  ['no service: feedback', 'feedback $own --cert $cert --cert-key $certKey', 'USAGE', /No service/],
  ['no certificate: feedback', 'feedback $data $own', 'USAGE', /--cert/],
  ['unknown command', 'portla', 'USAGE', /portla.*`carillon --help`/],
  ['unknown sub-command', 'portal ap', 'USAGE', /ap.*`carillon portal --help`/],
  ['unknown option', 'up $data --prots auto', 'USAGE', /--prots.*`carillon up --help`/],
  ['missing option', 'portal app create $data --name A', 'USAGE', /--bundle-id/],
  ['option without value', 'portal app list --data', 'USAGE', /--data/],
  ['bad choice: ports', 'up $data --ports some', 'USAGE', /some.*default, auto/],
  [
    'bad choice: environment',
    'push $data --environment moon --topic a --token b',
    'USAGE',
    /moon.*sandbox, production/,
  ],
  ['bad choice: kind', 'portal cert create $data $app --kind both --out $fresh', 'USAGE', /both.*universal/],
  ['argument too many', 'up $data now', 'USAGE', /now/],
  ['nothing to send', 'push $data $sandbox $token $key', 'USAGE', /nothing to send/],
  [
    'alert and payload',
    'push $data $sandbox $token $key --alert a --payload b',
    'USAGE',
    /--alert and --payload/,
  ],
  ['nothing to authenticate with', 'push $data $sandbox $token --alert a', 'USAGE', /authenticate/],
  ['key and certificate', 'push $data $sandbox $token --alert a $key --cert a', 'USAGE', /--key and --cert/],
  ['key without its id', 'push $data $sandbox $token --alert a --key $keyFile', 'USAGE', /--key-id/],
  ['certificate without its key', 'push $data $sandbox $token --alert a --cert $cert', 'USAGE', /--cert-key/],
  ['address without port', 'push --connect localhost $sandbox $token --alert a $key', 'USAGE', /host:port/],
  [
    'port that is none',
    'push --connect localhost:70000 $sandbox $token --alert a $key',
    'USAGE',
    /host:port/,
  ],
  [
    'expiration that is no number',
    'push $data $sandbox $token --alert a $key --expiration soon',
    'USAGE',
    /--expiration/,
  ],
  ['apns-id that is none', 'push $data $sandbox $token --alert a $key --apns-id 17', 'USAGE', /--apns-id/],
  [
    'inbox that is no number',
    'portal app create $data --bundle-id com.inbox --name Bad --inbox many',
    'USAGE',
    /--inbox/,
  ],
]
