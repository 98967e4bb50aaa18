/**
 * Notices that files have changed.
 */
import { createHash } from "node:crypto"
import { type FSWatcher, readFileSync, watch } from "node:fs"
import { dirname } from "node:path"

/** An editor may write a file in several pieces, or several files at once. */
const quietMillis = 50

const hashOf = (path: string): string => {
  try {
    return createHash("sha256").update(readFileSync(path)).digest("base64")
  } catch {
    return "missing"
  }
}

/** Watches the folders of files, as many editors replace a file instead of writing it. */
export class Watching {
  private readonly known = new Map<string, string>()
  private readonly folders = new Map<string, FSWatcher>()
  private readonly changed: () => void
  private timer: ReturnType<typeof setTimeout> | undefined
  private closed = false

  constructor(changed: () => void) {
    this.changed = changed
  }

  /** Watches this file too, as it is now. */
  add(path: string): void {
    if (this.closed || this.known.has(path)) return
    this.folder(dirname(path))
    this.known.set(path, hashOf(path))
  }

  private folder(path: string): void {
    if (this.folders.has(path)) return
    try {
      const watcher = watch(path, () => this.look())
      // Such as a folder that is deleted.
      watcher.on("error", () => {
        watcher.close()
        this.folders.delete(path)
      })
      this.folders.set(path, watcher)
    } catch {
      // It does not exist, or may not be watched.
    }
  }

  private look(): void {
    if (this.closed) return
    clearTimeout(this.timer)
    this.timer = setTimeout(() => {
      let some = false
      for (const [path, before] of this.known) {
        const now = hashOf(path)
        if (now === before) continue
        this.known.set(path, now)
        some = true
      }
      if (some) this.changed()
    }, quietMillis)
  }

  close(): void {
    this.closed = true
    clearTimeout(this.timer)
    for (const watcher of this.folders.values()) watcher.close()
  }
}
