import type { Case } from './case.ts'

/** What is wrong with data directories, ports and configuration files. */
export const onSystems: readonly Case[] = [
  ['port taken', 'up --data $fresh --ports default', 'PORT_TAKEN', /2190.*taken/],
  ['foreign address', 'up --data $fresh --ports auto --host 192.0.2.1', 'ADDRESS', /192\.0\.2\.1/],
  ['data directory in use', 'up $data --ports auto', 'DATA_DIRECTORY_IN_USE', /in use/],
  [
    'configuration absent',
    'up --data $fresh --config @none.yaml',
    'CONFIGURATION',
    /none\.yaml does not exist/,
  ],
  [
    'configuration with an unknown setting',
    'config check --config @unknown.yaml',
    'CONFIGURATION',
    /unknown\.yaml, line 2: pushService\.fidelty: there is no such setting/,
  ],
  [
    'configuration with a number out of range',
    'up --data $fresh --config @range.yaml',
    'CONFIGURATION',
    /range\.yaml: pushService: fidelity\.streamsBeforeToken is 5000\. Give a whole number from 1 to 1000/,
  ],
  ['data directory under a file: up', 'up --data @file/data', 'DATA_DIRECTORY', /file\/data/],
  ['data directory is a file: up', 'up --data @file', 'DATA_DIRECTORY', /file cannot be used/],
  [
    'data directory under a file: portal',
    'portal app list --data @file/data',
    'DATA_DIRECTORY',
    /file\/data/,
  ],
  [
    'data directory under a file: device',
    '$device --data @file/data --state $fresh $profile',
    'NOT_RUNNING',
    /file\/data/,
  ],
  [
    'damaged endpoints.json: portal',
    'portal app list --data @damaged',
    'ENDPOINTS_UNREADABLE',
    /damaged\/endpoints\.json/,
  ],
  [
    'damaged endpoints.json: device',
    '$device --data @damaged --state $fresh $profile',
    'ENDPOINTS_UNREADABLE',
    /damaged\/endpoints\.json/,
  ],
  [
    'endpoints.json of something else',
    'portal app list --data @not-endpoints',
    'ENDPOINTS_UNREADABLE',
    /not-endpoints\/endpoints\.json/,
  ],
  ['no system there', '$device --data @nowhere --state $fresh $profile', 'NOT_RUNNING', /nowhere/],
  ['system was killed', '$device --data @killed --state $fresh $profile', /./, /./],
]
