import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { PortalError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Team } from '../operations.ts'
import { checkName } from '../registry/checks.ts'
import { makeId } from '../registry/ids.ts'
import { makeDirectory, readText, writeOnce } from './files.ts'

/**
 * The team of a data directory, from `team.json`; made with this name where there is none. It is the first file
 * of a new portal: everything that is issued names the team.
 */
export async function openTeam(
  dataDir: string,
  name: string,
  random: (bytes: number) => Uint8Array,
): Promise<Team> {
  await makeDirectory(dataDir)
  const file = join(dataDir, 'team.json')
  const existing = await readText(file)
  if (existing !== undefined) return parseTeam(file, existing)
  await refuseHalfCopy(dataDir, file)
  const team: Team = {
    teamId: makeId(random),
    name: checkName(name, 'team', limits.teamNameCharactersMax),
  }
  return parseTeam(
    file,
    await writeOnce(file, `${JSON.stringify(team, null, 2)}\n`, { secret: false, random }),
  )
}

/** The path of a secret of the data directory; made (256 random bits) where there is none. */
export async function openSecret(
  dataDir: string,
  name: string,
  random: (bytes: number) => Uint8Array,
): Promise<string> {
  const file = join(dataDir, name)
  if ((await readText(file)) === undefined) {
    const secret = Buffer.from(random(32)).toString('base64url')
    await writeOnce(file, `${secret}\n`, { secret: true, random })
  }
  return file
}

function parseTeam(file: string, text: string): Team {
  try {
    const { teamId, name } = JSON.parse(text)
    if (/^[A-Z0-9]{10}$/.test(teamId) && typeof name === 'string') return { teamId, name }
  } catch {
    // Not JSON: the sentence below says the same thing for every way in which the file can be wrong.
  }
  throw new PortalError(
    'DATA_DIRECTORY',
    `${file} does not describe a team.`,
    'It holds {"teamId":"10 of A-Z and 0-9","name":"…"}: restore it from a backup.',
  )
}

/** Without its team file, a directory with certificates in it is a damaged portal and not a new one. */
async function refuseHalfCopy(dataDir: string, file: string): Promise<void> {
  for (const part of [join(dataDir, 'portal.db'), join(dataDir, 'ca', 'root.cert.pem')]) {
    const there = await access(part).then(
      () => true,
      () => false,
    )
    if (!there) continue
    throw new PortalError(
      'DATA_DIRECTORY',
      `${file} is missing although ${part} exists.`,
      'Restore the file from a backup, or choose an empty data directory.',
    )
  }
}
