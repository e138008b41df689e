import { renameSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { limits } from '../limits.ts'
import { type DeviceFiles, readIfThere, syncFolderOf } from './device-files.ts'
import { writeAllSync } from './write-all.ts'

/** A notification as the device keeps it from its arrival until it was shown. */
export interface KeptNotification {
  readonly apnsId: string
  readonly bundleId: string
  readonly payload: unknown
}

/*
 * The journal, one JSON array a line, appended only:
 *
 *   ["r", apnsId, bundleId, payload]   received: on disk before it is shown and acknowledged
 *   ["s", apnsId]                      shown
 *
 * A crash before "r" is on disk: the courier sends it again. Between "r" and "s": shown at the next start.
 * After "s": never again. "s" is written at once but not flushed, since only a crash of the whole machine
 * could lose it, and showing twice is then better than not at all.
 *
 * Lines are written synchronously, so that none is ever inside another; only flushing is waited for.
 */

/** Which notifications this device has received and shown: what makes "exactly once shown" true across crashes. */
export class NotificationJournal {
  readonly #files: DeviceFiles
  #handle: FileHandle
  /** Size of the file, and beyond which it is rewritten. */
  #bytes: number
  #rewriteAtBytes: number
  /** Ids that were shown or are about to be, oldest first. */
  readonly #known = new Set<string>()
  readonly #unshown = new Map<string, KeptNotification>()
  /** Of those, what an earlier process left; everything else is on its way to be shown in this one. */
  readonly #leftOver = new Set<string>()
  /** On their way to the disk. */
  readonly #keeping = new Map<string, Promise<'new'>>()
  #gathered: { line: string; done: (error?: Error) => void }[] = []
  #flushing = false
  /** A line of which only a part was written: the next one must not be joined to it. */
  #isTorn: boolean
  /** Marks written while the file is being rewritten: the new one needs them too. */
  #marksMeanwhile: string[] | undefined

  private constructor(files: DeviceFiles, handle: FileHandle, text: string) {
    this.#files = files
    this.#handle = handle
    this.#bytes = Buffer.byteLength(text)
    this.#rewriteAtBytes = limits.journalBytesMax
    this.#isTorn = text !== '' && !text.endsWith('\n')
    for (const line of text.split('\n')) this.#replay(line)
    for (const apnsId of this.#unshown.keys()) this.#leftOver.add(apnsId)
  }

  /** @throws DeviceError `STATE_UNREADABLE` */
  static async open(files: DeviceFiles): Promise<NotificationJournal> {
    const text = (await readIfThere(files.journal)) ?? ''
    return new NotificationJournal(files, await open(files.journal, 'a', 0o600), text)
  }

  /** What a crash kept from being shown, oldest first. Each is given once: show it, or drop it by `markShown`. */
  takeLeftOver(): KeptNotification[] {
    const left = [...this.#leftOver].flatMap((apnsId) => this.#unshown.get(apnsId) ?? [])
    this.#leftOver.clear()
    return left
  }

  /**
   * Resolves when the notification is on disk: `new` to whoever brought it first, `known` to all others. Those
   * that arrive while the disk is busy share its next flush.
   */
  keep(notification: KeptNotification): Promise<'new' | 'known'> {
    const { apnsId } = notification
    const underWay = this.#keeping.get(apnsId)
    if (underWay) return underWay.then(() => 'known')
    if (this.#known.has(apnsId)) return Promise.resolve('known')
    this.#remember(apnsId)
    this.#unshown.set(apnsId, notification)
    const keeping = new Promise<'new'>((resolve, reject) => {
      const done = (error?: Error) => {
        this.#keeping.delete(apnsId)
        if (!error) return resolve('new')
        this.#known.delete(apnsId)
        this.#unshown.delete(apnsId)
        reject(error)
      }
      this.#gathered.push({ line: receivedLine(notification), done })
    })
    this.#keeping.set(apnsId, keeping)
    if (!this.#flushing) void this.#flush()
    return keeping
  }

  /** Synchronous: the mark is with the operating system before anything else happens. */
  markShown(apnsId: string): void {
    const line = shownLine(apnsId)
    this.#unshown.delete(apnsId)
    this.#leftOver.delete(apnsId)
    this.#marksMeanwhile?.push(line)
    this.#write(line)
  }

  /** After the last `keep` and `markShown`. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#keeping.values())
    await this.#handle.close()
  }

  async #flush(): Promise<void> {
    this.#flushing = true
    while (this.#gathered.length > 0) {
      const batch = this.#gathered
      this.#gathered = []
      try {
        if (this.#bytes > this.#rewriteAtBytes) await this.#rewrite()
        this.#write(batch.map((entry) => entry.line).join(''))
        await this.#handle.datasync()
        for (const entry of batch) entry.done()
      } catch (error) {
        for (const entry of batch) entry.done(error as Error)
      }
    }
    this.#flushing = false
  }

  #write(lines: string): void {
    const text = this.#isTorn ? `\n${lines}` : lines
    this.#isTorn = true
    this.#bytes += writeAllSync(this.#handle.fd, text)
    this.#isTorn = false
  }

  /** Leaves out everything that no longer matters: a new file takes the place of the old one in one step. */
  async #rewrite(): Promise<void> {
    const shown = [...this.#known].filter((apnsId) => !this.#unshown.has(apnsId)).map(shownLine)
    const text = [...shown, ...[...this.#unshown.values()].map(receivedLine)].join('')
    this.#marksMeanwhile = []
    try {
      await this.#replaceBy(text, this.#marksMeanwhile)
    } finally {
      this.#marksMeanwhile = undefined
    }
    await syncFolderOf(this.#files.journal)
  }

  async #replaceBy(text: string, marksMeanwhile: readonly string[]): Promise<void> {
    const fresh = `${this.#files.journal}.new`
    const handle = await open(fresh, 'w', 0o600)
    const old = this.#handle
    try {
      await handle.writeFile(text)
      await handle.datasync()
      // Without a pause from here on: no mark may go to the old file alone.
      const bytes = Buffer.byteLength(text) + writeAllSync(handle.fd, marksMeanwhile.join(''))
      renameSync(fresh, this.#files.journal)
      this.#handle = handle
      this.#isTorn = false
      this.#bytes = bytes
      this.#rewriteAtBytes = bytes + limits.journalBytesMax
    } finally {
      await (this.#handle === handle ? old : handle).close()
    }
  }

  #replay(line: string): void {
    if (line === '') return
    let entry: unknown
    try {
      entry = JSON.parse(line)
    } catch {
      return // torn by a crash: what it held was not acknowledged, so the courier sends it again
    }
    const [kind, apnsId, bundleId, payload] = Array.isArray(entry) ? (entry as unknown[]) : []
    if (typeof apnsId !== 'string') return
    if (kind === 's') {
      this.#remember(apnsId)
      this.#unshown.delete(apnsId)
    } else if (kind === 'r' && typeof bundleId === 'string') {
      this.#remember(apnsId)
      this.#unshown.set(apnsId, { apnsId, bundleId, payload })
    }
  }

  #remember(apnsId: string): void {
    this.#known.delete(apnsId)
    this.#known.add(apnsId)
    for (const oldest of this.#known) {
      if (this.#known.size <= limits.shownIdsMax || this.#unshown.has(oldest)) return
      this.#known.delete(oldest)
    }
  }
}

function receivedLine({ apnsId, bundleId, payload }: KeptNotification): string {
  return `${JSON.stringify(['r', apnsId, bundleId, payload])}\n`
}

function shownLine(apnsId: string): string {
  return `${JSON.stringify(['s', apnsId])}\n`
}
