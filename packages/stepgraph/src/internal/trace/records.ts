/**
 * Records by id, in order of arrival. Keeps all that are in use, and the latest of the others.
 */
export class Records<A> {
  readonly all = new Map<string, A>()
  private readonly keep: number
  private readonly inUse: (record: A) => boolean
  /** Advances with the map: asking for its first key each time would scan all deleted ones. */
  private readonly oldest = this.all.keys()
  /** Records that were skipped because they were in use. */
  private readonly passed = new Set<string>()

  constructor(keep: number, inUse: (record: A) => boolean) {
    this.keep = keep
    this.inUse = inUse
  }

  add(id: string, record: A): void {
    this.all.set(id, record)
    while (this.all.size - this.passed.size > this.keep) {
      const oldest = this.oldest.next().value!
      if (this.inUse(this.all.get(oldest)!)) this.passed.add(oldest)
      else this.all.delete(oldest)
    }
  }

  /** A record is no longer in use. */
  release(id: string): void {
    if (this.passed.delete(id)) this.all.delete(id)
  }
}

/** Appends to a list that keeps only the latest items: at least `keep`, at most twice as many. */
export const addTo = <A>(list: Array<A>, item: A, keep: number): void => {
  list.push(item)
  if (list.length > 2 * keep) list.splice(0, list.length - keep)
}
