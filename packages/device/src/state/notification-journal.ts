import { writeSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { limits } from '../limits.ts'
import { type DeviceFiles, readIfThere, replaceFile } from './device-files.ts'

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
 */

/** Which notifications this device has received and shown: what makes "exactly once shown" true across crashes. */
export class NotificationJournal {
  readonly #files: DeviceFiles
  #handle: FileHandle
  #bytes: number
  /** Ids that were shown or are about to be, oldest first. */
  readonly #known = new Set<string>()
  readonly #unshown = new Map<string, KeptNotification>()
  /** On their way to the disk. */
  readonly #keeping = new Map<string, Promise<'new'>>()
  #gathered: { line: string; done: (error?: Error) => void }[] = []
  #flushing = false

  private constructor(files: DeviceFiles, handle: FileHandle, text: string) {
    this.#files = files
    this.#handle = handle
    this.#bytes = Buffer.byteLength(text)
    for (const line of text.split('\n')) this.#replay(line)
  }

  static async open(files: DeviceFiles): Promise<NotificationJournal> {
    const text = (await readIfThere(files.journal)) ?? ''
    const handle = await open(files.journal, 'a', 0o600)
    // A line torn by a crash must not swallow the next one.
    if (text !== '' && !text.endsWith('\n')) await handle.appendFile('\n')
    return new NotificationJournal(files, handle, text)
  }

  /** What a crash kept from being shown, oldest first. */
  unshown(): KeptNotification[] {
    return [...this.#unshown.values()]
  }

  /**
   * Resolves when the notification is on disk: `new` to whoever brought it first, `known` to all others. Those
   * that arrive while the disk is busy share its next flush.
   */
  keep(notification: KeptNotification): Promise<'new' | 'known'> {
    const { apnsId, bundleId, payload } = notification
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
      this.#gathered.push({ line: `${JSON.stringify(['r', apnsId, bundleId, payload])}\n`, done })
    })
    this.#keeping.set(apnsId, keeping)
    if (!this.#flushing) void this.#flush()
    return keeping
  }

  /** Synchronous: the mark is with the operating system before anything else happens. */
  markShown(apnsId: string): void {
    this.#unshown.delete(apnsId)
    this.#bytes += writeSync(this.#handle.fd, `${JSON.stringify(['s', apnsId])}\n`)
  }

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
        if (this.#bytes > limits.journalBytesMax) await this.#rewrite()
        const text = batch.map((entry) => entry.line).join('')
        await this.#handle.appendFile(text)
        await this.#handle.datasync()
        this.#bytes += Buffer.byteLength(text)
        for (const entry of batch) entry.done()
      } catch (error) {
        for (const entry of batch) entry.done(error as Error)
      }
    }
    this.#flushing = false
  }

  /** Leaves out everything that no longer matters. */
  async #rewrite(): Promise<void> {
    const shown = [...this.#known]
      .filter((apnsId) => !this.#unshown.has(apnsId))
      .map((apnsId) => JSON.stringify(['s', apnsId]))
    const waiting = [...this.#unshown.values()].map((n) =>
      JSON.stringify(['r', n.apnsId, n.bundleId, n.payload]),
    )
    const text = [...shown, ...waiting, ''].join('\n')
    await replaceFile(this.#files.journal, text)
    await this.#handle.close()
    this.#handle = await open(this.#files.journal, 'a', 0o600)
    this.#bytes = Buffer.byteLength(text)
  }

  #replay(line: string): void {
    if (line === '') return
    let entry: unknown[]
    try {
      entry = JSON.parse(line) as unknown[]
    } catch {
      return // torn by a crash: what it held was not acknowledged, so the courier sends it again
    }
    const [kind, apnsId, bundleId, payload] = entry
    if (typeof apnsId !== 'string') return
    this.#remember(apnsId)
    if (kind === 's') this.#unshown.delete(apnsId)
    else if (kind === 'r' && typeof bundleId === 'string')
      this.#unshown.set(apnsId, { apnsId, bundleId, payload })
  }

  #remember(apnsId: string): void {
    this.#known.delete(apnsId)
    this.#known.add(apnsId)
    for (const oldest of this.#known) {
      if (this.#known.size <= limits.shownIdsMax) break
      if (!this.#unshown.has(oldest)) this.#known.delete(oldest)
      else break
    }
  }
}
