import type { Case } from './case.ts'

/** What the portal refuses. */
export const atThePortal: readonly Case[] = [
  ['App ID twice', 'portal app create $data $app --name Again', 'APP_EXISTS', /com\.example\.app/],
  [
    'bundle id that is none',
    'portal app create $data --bundle-id a,b --name Bad',
    'BUNDLE_ID_INVALID',
    /a,b/,
  ],
  [
    'unknown bundle id: certificate',
    'portal cert create $data --bundle-id com.nobody --kind sandbox --out $fresh',
    'APP_UNKNOWN',
    /com\.nobody/,
  ],
  [
    'unknown bundle id: profile',
    'portal profile create $data --bundle-id com.nobody --kind appstore --out $fresh',
    'APP_UNKNOWN',
    /com\.nobody/,
  ],
  [
    'unknown device: profile',
    'portal profile create $data $app --kind development --device ZZZZZZZZZZ --out $fresh',
    'DEVICE_UNKNOWN',
    /ZZZZZZZZZZ/,
  ],
  [
    'development profile without device',
    'portal profile create $data $app --kind development --out $fresh',
    'PROFILE_NEEDS_DEVICES',
    /./,
  ],
  [
    'unknown serial',
    'portal cert revoke $data --serial 0123456789abcdef',
    'CERTIFICATE_UNKNOWN',
    /0123456789abcdef/,
  ],
  ['unknown key', 'portal key revoke $data --key-id ZZZZZZZZZZ', 'KEY_UNKNOWN', /ZZZZZZZZZZ/],
  [
    'signing request that is none',
    'portal cert create $data $app --kind sandbox --csr @not-a.csr --out $fresh',
    'CSR_INVALID',
    /./,
  ],
  [
    'signing request missing',
    'portal cert create $data $app --kind sandbox --csr @missing.csr --out $fresh',
    'FILE_UNREADABLE',
    /missing\.csr/,
  ],
  [
    'folder for the files under a file',
    'portal key create $data --name Lost --out @file/keys',
    'FILE_UNWRITABLE',
    /file\/keys/,
  ],
]
