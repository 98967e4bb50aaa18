/**
 * The order in which schedules are tried: fewest deviations from production first.
 *
 * Each tried schedule is stored as its last deviation, its parent, and the number of ways at each later choice: about
 * 60 bytes instead of thousands for whole paths. Untried schedules follow from these and are not stored.
 */
import type { Deviation, Strategy } from "./choices.ts"
import { numbers } from "./random.ts"

/** A growing list of numbers without an object for each. */
class Numbers<A extends Int32Array | Uint16Array> {
  private values: A
  length = 0
  private readonly make: (length: number) => A

  constructor(make: (length: number) => A) {
    this.make = make
    this.values = make(256)
  }

  push(value: number): void {
    if (this.length === this.values.length) {
      const wider = this.make(this.length * 2)
      wider.set(this.values)
      this.values = wider
    }
    this.values[this.length++] = value
  }

  at(index: number): number {
    return this.values[index]!
  }
}

const int32 = () => new Numbers((length) => new Int32Array(length))

export class Search {
  private readonly parents = int32()
  /** The last deviation of each schedule; -1 for the schedule without any. */
  private readonly places = int32()
  private readonly options = int32()
  private readonly depths = int32()
  /** The start of each schedule's counts, and its number of choices from there on. */
  private readonly starts = int32()
  private readonly counts = new Numbers((length) => new Uint16Array(length))
  /** The schedule whose children are being tried, and the next child. */
  private parent = -1
  private place = 0
  private option = 0

  /** The next untried schedule, or `undefined` when all have been tried. */
  next(): ReadonlyArray<Deviation> | undefined {
    if (this.parent < 0) return this.places.length === 0 ? [] : this.advance()
    return this.advance()
  }

  private advance(): ReadonlyArray<Deviation> | undefined {
    if (this.parent < 0) this.begin(0)
    while (this.parent < this.places.length) {
      const first = this.places.at(this.parent) + 1
      const counts = this.end(this.parent) - this.starts.at(this.parent)
      while (this.place < counts) {
        const count = this.counts.at(this.starts.at(this.parent) + this.place)
        if (++this.option < count) {
          return [...this.path(this.parent), { at: first + this.place, option: this.option, count }]
        }
        this.place++
        this.option = 0
      }
      this.begin(this.parent + 1)
    }
    return undefined
  }

  private begin(parent: number): void {
    this.parent = parent
    this.place = 0
    this.option = 0
  }

  private end(index: number): number {
    return index + 1 < this.starts.length ? this.starts.at(index + 1) : this.counts.length
  }

  /** Records that the schedule from `next` was run and had these choices. */
  ran(deviations: ReadonlyArray<Deviation>, counts: ReadonlyArray<number>): void {
    const last = deviations.at(-1)
    const place = last?.at ?? -1
    this.parents.push(last === undefined ? -1 : this.parent)
    this.places.push(place)
    this.options.push(last?.option ?? 0)
    this.depths.push(deviations.length)
    this.starts.push(this.counts.length)
    for (let at = place + 1; at < counts.length; at++) this.counts.push(counts[at]!)
  }

  /** The number of deviations up to which every schedule has been tried. */
  get depth(): number {
    const parent = Math.max(0, this.parent)
    return parent < this.depths.length ? this.depths.at(parent) : Number.POSITIVE_INFINITY
  }

  private path(index: number): Array<Deviation> {
    const path: Array<Deviation> = []
    for (let i = index; this.places.at(i) >= 0; i = this.parents.at(i)) {
      const parent = this.parents.at(i)
      const at = this.places.at(i)
      const count = this.counts.at(this.starts.at(parent) + at - this.places.at(parent) - 1)
      path.push({ at, option: this.options.at(i), count })
    }
    return path.reverse()
  }
}

/**
 * Probabilistic concurrency testing of depth 2 (Burckhardt and others, 2010): everything has a random priority, the
 * highest goes on, and at one random point it drops below all others.
 */
export const prioritized = (seed: number, choices: number): Strategy => {
  const next = numbers(seed)
  const change = Math.floor(next() * choices)
  const priorities = new Map<string, number>()
  const priority = (key: string) => {
    let found = priorities.get(key)
    if (found === undefined) {
      found = 1 + next()
      priorities.set(key, found)
    }
    return found
  }
  const highest = (keys: ReadonlyArray<string>) => {
    let best = 0
    for (let i = 1; i < keys.length; i++) if (priority(keys[i]!) > priority(keys[best]!)) best = i
    return best
  }
  return (at, count, kind, keys) => {
    // Events that happen to a run are rare.
    if (kind !== "order") return next() < 1 / (choices + 1) ? 1 + Math.floor(next() * (count - 1)) : 0
    const names = keys()
    const best = highest(names)
    if (at !== change) return best
    priorities.set(names[best]!, next())
    return highest(names)
  }
}
