import type { Case } from './case.ts'

/** What a device cannot start with. */
export const onTheDevice: readonly Case[] = [
  ['profile missing', '$device $data --state $fresh --profile @missing', 'FILE_UNREADABLE', /missing/],
  [
    'profile that is none',
    '$device $data --state $fresh --profile @not-a.mobileprovision',
    'PROFILE_UNREADABLE',
    /profile/,
  ],
  [
    'profile of another portal',
    '$device $data --state $fresh --profile @of-another-portal.mobileprovision',
    'PROFILE_UNTRUSTED',
    /portal/,
  ],
  [
    'profile for another app',
    'device run --app com.other $data --state $fresh $profile',
    'PROFILE_OTHER_APP',
    /com\.example\.app, not for com\.other/,
  ],
  ['state in use', '$device $data --state @phone $profile', 'STATE_IN_USE', /phone/],
  ['state under a file', '$device $data --state @file/state $profile', /./, /file\/state/],
  [
    'unknown device',
    '$device $data --state $fresh $profile --device ZZZZZZZZZZ',
    'DEVICE_UNKNOWN',
    /ZZZZZZZZZZ/,
  ],
]
