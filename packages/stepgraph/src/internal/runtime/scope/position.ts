/**
 * The order of emission in one run, independent of timing; a `gather` sorts by it.
 *
 * Each position has one living owner: a delivery or an invocation, an event that an intake holds, or an intake that may
 * still run with nothing. An invocation's position is the end of everything that comes from it: each of its emissions
 * gets a position right before it, so the results of an earlier emission stay before those of a later one, at any
 * depth. Its last emission takes over its position, and a batch takes that of its earliest event. An owner releases its
 * position when it no longer needs it, so a run keeps only as many positions as there are living owners, however long
 * it runs.
 *
 * An order-maintenance list (Dietz and Sleator 1987; Bender et al. 2002): comparing two positions takes O(1), and
 * creating one amortized O(log n), mostly paid once per bucket.
 */

/** Maximum number of positions in a bucket. */
const most = 64
/**
 * How many of them stay when a full bucket is split: an invocation that emits a lot inserts at the end of its own
 * bucket.
 */
const kept = 48
/** Bucket labels stay below this, so they are exact. */
const labels = 2 ** 52

/** Some adjacent positions. */
class Bucket {
  label: number
  previous: Bucket | undefined
  private next: Bucket | undefined
  /** In order; released ones stay until their space is needed. */
  private readonly positions = new Array<Position>(most)
  private count = 0
  living = 0

  constructor(label: number, previous?: Bucket, next?: Bucket) {
    this.label = label
    this.previous = previous
    this.next = next
  }

  get full(): boolean {
    return this.count === most
  }

  /** Inserts a position at `index`. */
  insert(index: number): Position {
    const { positions } = this
    for (let i = this.count++; i > index; i--) {
      const moved = positions[i - 1]!
      moved.index = i
      positions[i] = moved
    }
    const position = new Position(this, index)
    positions[index] = position
    this.living++
    return position
  }

  release(): void {
    if (--this.living > 0) return
    const { previous, next } = this
    if (previous !== undefined) previous.next = next
    if (next !== undefined) next.previous = previous
  }

  /** Removes released positions; if that is not enough, moves some to a new bucket after this one. */
  makeRoom(): void {
    const { positions } = this
    if (this.living < most) {
      let living = 0
      for (const position of positions) {
        if (position.bucket !== this) continue
        position.index = living
        positions[living++] = position
      }
      this.count = living
    }
    if (this.living <= kept) return
    const bucket = this.after()
    for (let i = kept; i < this.count; i++) {
      const position = positions[i]!
      position.bucket = bucket
      position.index = i - kept
      bucket.positions[i - kept] = position
    }
    bucket.count = bucket.living = this.count - kept
    this.count = this.living = kept
  }

  /** Inserts a bucket after this one. */
  private after(): Bucket {
    if (this.gap < 2) this.spread()
    const { next } = this
    const bucket = new Bucket(this.label + Math.floor(this.gap / 2), this, next)
    this.next = bucket
    if (next !== undefined) next.previous = bucket
    return bucket
  }

  /** The distance to the next label. */
  private get gap(): number {
    return (this.next?.label ?? labels) - this.label
  }

  /** Redistributes the labels around this one, in the smallest range that is sparse enough for its width. */
  private spread(): void {
    let first: Bucket = this
    let last: Bucket = this
    let count = 1
    let sparse = 1
    for (let width = 2; ; width *= 2) {
      // The wider a range, the sparser it must be, so it lasts longer until the next redistribution.
      sparse *= 1.5
      const low = this.label - (this.label % width)
      for (; first.previous !== undefined && first.previous.label >= low; count++) first = first.previous
      for (; last.next !== undefined && last.next.label < low + width; count++) last = last.next
      const step = Math.floor(width / count)
      if (count > sparse || step < 2) continue
      let bucket = first
      for (let label = low; ; label += step) {
        bucket.label = label
        if (bucket === last) return
        bucket = bucket.next!
      }
    }
  }
}

export class Position {
  /** Its bucket; none once it has been released. */
  bucket: Bucket | undefined
  /** Its index there. */
  index: number

  constructor(bucket: Bucket, index: number) {
    this.bucket = bucket
    this.index = index
  }

  /** The end of a new order. */
  static end(): Position {
    return new Bucket(labels / 2).insert(0)
  }

  /** Negative if `a` comes before `b`. */
  static compare(a: Position, b: Position): number {
    return a.bucket === b.bucket ? a.index - b.index : a.bucket!.label - b.bucket!.label
  }

  /** Returns the earlier of two positions and releases the other. */
  static earlier(a: Position, b: Position): Position {
    if (Position.compare(a, b) < 0) {
      b.release()
      return a
    }
    a.release()
    return b
  }

  /** Inserts a position right before this one. */
  before(): Position {
    if (this.bucket!.full) this.bucket!.makeRoom()
    return this.bucket!.insert(this.index)
  }

  /** Inserts a position right after this one. */
  after(): Position {
    if (this.bucket!.full) this.bucket!.makeRoom()
    return this.bucket!.insert(this.index + 1)
  }

  release(): void {
    this.bucket!.release()
    this.bucket = undefined
  }
}
