import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What the story leaves behind in the data directory, for the commands that a reader tries next. */
export function storyFilesIn(dataDir: string) {
  const folder = join(dataDir, 'story')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return {
    folder,
    /** Auth key of the back end, with its id beside it. */
    key: join(folder, 'auth-key.json'),
    /** Private key, signing request and push certificate of the back end. */
    certificateKey: join(folder, 'push.key.pem'),
    certificateRequest: join(folder, 'push.csr'),
    certificate: join(folder, 'push.pem'),
    profile: join(folder, 'example.mobileprovision'),
    device: join(folder, 'device.json'),
    /** State directory of the phone. */
    phone: join(folder, 'phone'),
  } as const
}

export type StoryFiles = ReturnType<typeof storyFilesIn>

export function readJson<T>(file: string): T | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as T) : undefined
}

export function random(bytes: number): Uint8Array {
  return new Uint8Array(randomBytes(bytes))
}
