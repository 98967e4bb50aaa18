/**
 * Records by id, in the order in which they came. All that are in use are kept, and of the others the latest.
 */
export class Records<A> {
  readonly all = new Map<string, A>()
  private readonly keep: number
  private readonly inUse: (record: A) => boolean
  /** Goes along with the map: to ask for its first key each time would pass over all that has been deleted. */
  private readonly oldest = this.all.keys()
  /** Those that were passed because they were in use. */
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

/** Adds to a list of which only the latest are kept: at least `keep` of them, and at most twice as many. */
export const addTo = <A>(list: Array<A>, item: A, keep: number): void => {
  list.push(item)
  if (list.length > 2 * keep) list.splice(0, list.length - keep)
}
