/**
 * A binary heap: returns the smallest item in O(log n).
 */
export class Heap<A> {
  private readonly goesBefore: (a: A, b: A) => boolean
  private readonly items: Array<A> = []

  constructor(goesBefore: (a: A, b: A) => boolean) {
    this.goesBefore = goesBefore
  }

  get first(): A | undefined {
    return this.items[0]
  }

  add(item: A): void {
    const { items } = this
    let at = items.length
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!this.goesBefore(item, items[above]!)) break
      items[at] = items[above]!
      at = above
    }
    items[at] = item
  }

  /** Removes the smallest item. */
  take(): A | undefined {
    const { items } = this
    const [first] = items
    const last = items.pop()
    if (items.length === 0 || last === undefined) return first
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= items.length) break
      if (below + 1 < items.length && this.goesBefore(items[below + 1]!, items[below]!)) below++
      if (!this.goesBefore(items[below]!, last)) break
      items[at] = items[below]!
      at = below
    }
    items[at] = last
    return first
  }
}
