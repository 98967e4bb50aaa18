/**
 * The order of emission in one run, whatever the timing: what a `gather` sorts by.
 *
 * Each place belongs to one living thing: to a delivery or an invocation, to an event that an intake holds, or to an intake
 * that may still run with nothing. The place of an invocation is the end of all that comes of it: each of its emissions takes
 * a place right before, so that what an earlier emission leads to stays before a later one, at any depth. Its last emission
 * takes over its place, and so does a batch that of its earliest event. Whoever needs its place no longer releases it: a run
 * keeps as many places as there are things alive, however long it goes on.
 *
 * An order-maintenance list (Dietz and Sleator 1987; Bender et al. 2002): two places are compared in O(1), and one is made in
 * amortized O(log n), of which most is paid once for each bucket of places.
 */

/** How many places a bucket holds at most. */
const most = 64
/** How many of them stay where a full bucket is split: an invocation that emits many makes room at the end of its own. */
const kept = 48
/** The labels of buckets are below this, and so are exact. */
const labels = 2 ** 52

/** Some places that stand side by side. */
class Bucket {
  label: number
  previous: Bucket | undefined
  private next: Bucket | undefined
  /** In order; those that have been released stay until their room is needed. */
  private readonly places = new Array<Place>(most)
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

  /** Makes a place that is the `index`th. */
  insert(index: number): Place {
    const { places } = this
    for (let i = this.count++; i > index; i--) {
      const moved = places[i - 1]!
      moved.index = i
      places[i] = moved
    }
    const place = new Place(this, index)
    places[index] = place
    this.living++
    return place
  }

  release(): void {
    if (--this.living > 0) return
    const { previous, next } = this
    if (previous !== undefined) previous.next = next
    if (next !== undefined) next.previous = previous
  }

  /** Forgets what has been released; where that is not enough, gives some to a new bucket right behind this one. */
  makeRoom(): void {
    const { places } = this
    if (this.living < most) {
      let living = 0
      for (const place of places) {
        if (place.bucket !== this) continue
        place.index = living
        places[living++] = place
      }
      this.count = living
    }
    if (this.living <= kept) return
    const bucket = this.after()
    for (let i = kept; i < this.count; i++) {
      const place = places[i]!
      place.bucket = bucket
      place.index = i - kept
      bucket.places[i - kept] = place
    }
    bucket.count = bucket.living = this.count - kept
    this.count = this.living = kept
  }

  /** Makes a bucket right behind this one. */
  private after(): Bucket {
    if (this.gap < 2) this.spread()
    const { next } = this
    const bucket = new Bucket(this.label + Math.floor(this.gap / 2), this, next)
    this.next = bucket
    if (next !== undefined) next.previous = bucket
    return bucket
  }

  /** How much larger the next label is. */
  private get gap(): number {
    return (this.next?.label ?? labels) - this.label
  }

  /** Spreads the labels around this one evenly: those in the smallest range that is sparse enough for its width. */
  private spread(): void {
    let first: Bucket = this
    let last: Bucket = this
    let count = 1
    let sparse = 1
    for (let width = 2; ; width *= 2) {
      // The wider a range, the sparser it has to be, so that it is long before it has to be spread again.
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

export class Place {
  /** Where it stands; it has none once it has been released. */
  bucket: Bucket | undefined
  /** The how-manieth it is there. */
  index: number

  constructor(bucket: Bucket, index: number) {
    this.bucket = bucket
    this.index = index
  }

  /** The end of a new order. */
  static end(): Place {
    return new Bucket(labels / 2).insert(0)
  }

  /** Negative where `a` comes before `b`. */
  static compare(a: Place, b: Place): number {
    return a.bucket === b.bucket ? a.index - b.index : a.bucket!.label - b.bucket!.label
  }

  /** The earlier of two places; the other is released. */
  static earlier(a: Place, b: Place): Place {
    if (Place.compare(a, b) < 0) {
      b.release()
      return a
    }
    a.release()
    return b
  }

  /** Makes a place right before this one. */
  before(): Place {
    if (this.bucket!.full) this.bucket!.makeRoom()
    return this.bucket!.insert(this.index)
  }

  /** Makes a place right behind this one. */
  after(): Place {
    if (this.bucket!.full) this.bucket!.makeRoom()
    return this.bucket!.insert(this.index + 1)
  }

  release(): void {
    this.bucket!.release()
    this.bucket = undefined
  }
}
