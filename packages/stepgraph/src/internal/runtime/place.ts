/**
 * Where an emission stands among all emissions of its run, whatever the timing: what a `gather` sorts by.
 *
 * When one invocation emits several events, each takes a place under the invocation's own; a single emission keeps it, so
 * that a loop does not grow it. While an invocation runs nobody knows whether more will come: its first emission gets a
 * place of its own that is passed over once it has turned out to be the only one.
 */

/** The emissions of one invocation that streams them. */
export class Fan {
  count = 0
  closed = false
}

export class Place {
  readonly parent: Place | undefined
  readonly index: number
  readonly depth: number
  private readonly fan: Fan | undefined

  private constructor(parent: Place | undefined, index: number, fan: Fan | undefined) {
    this.parent = parent
    this.index = index
    this.depth = parent === undefined ? 0 : parent.depth + 1
    this.fan = fan
  }

  static readonly root = new Place(undefined, 0, undefined)

  /** The place of the `index`th of several emissions. */
  child(index: number): Place {
    return new Place(this.settled(), index, undefined)
  }

  /** The place of the next emission of an invocation that may or may not emit more. */
  next(fan: Fan): Place {
    return new Place(this.settled(), fan.count++, fan)
  }

  /** This place without those that turned out to stand for a single emission. */
  private settled(): Place {
    let place: Place = this
    while (place.fan?.closed && place.fan.count === 1) place = place.parent!
    return place
  }

  /** Negative where `a` was emitted before `b`. */
  static compare(a: Place, b: Place): number {
    if (a === b) return 0
    let left = a
    let right = b
    while (left.depth > right.depth) left = left.parent!
    while (right.depth > left.depth) right = right.parent!
    if (left === right) return a.depth - b.depth
    while (left.parent !== right.parent) {
      left = left.parent!
      right = right.parent!
    }
    return left.index - right.index
  }
}
