/**
 * The choices of one run: where it could go on in several ways, which way is taken, and how many there were.
 *
 * A schedule is a path of choices. 0 is always what production does, so that a path is told by its deviations alone.
 */

/** What a choice is about: `order` is what goes on next, the others happen to it. */
export type Kind = "order" | "fault" | "preempt" | "cancel"

/** One choice that is not production's. `count` is how many ways there were, 0 where that is not known. */
export interface Deviation {
  readonly at: number
  readonly option: number
  readonly count: number
}

/** Says which way is taken. The keys name the ways, the same in every run. */
export type Strategy = (at: number, count: number, kind: Kind, keys: () => ReadonlyArray<string>) => number

/** The path that has these deviations and goes production's way otherwise. */
export const along = (deviations: ReadonlyArray<Deviation>): Strategy => {
  let next = 0
  return (at) => {
    if (deviations[next]?.at !== at) return 0
    return deviations[next++]!.option
  }
}

export class Choices {
  /** How many ways there were at each choice, and which was taken. */
  readonly counts: Array<number> = []
  readonly taken: Array<number> = []
  private readonly strategy: Strategy

  constructor(strategy: Strategy) {
    this.strategy = strategy
  }

  choose(count: number, kind: Kind, keys: () => ReadonlyArray<string>): number {
    if (count < 2) return 0
    const at = this.counts.length
    const wanted = this.strategy(at, count, kind, keys)
    const option = wanted < count ? wanted : 0
    this.counts.push(count)
    this.taken.push(option)
    return option
  }

  deviations(): ReadonlyArray<Deviation> {
    return this.taken.flatMap((option, at) => (option === 0 ? [] : [{ at, option, count: this.counts[at]! }]))
  }

  /** The first of these deviations that this run could not follow, because it had other choices. */
  missed(deviations: ReadonlyArray<Deviation>): Deviation | undefined {
    return deviations.find(
      ({ at, option, count }) => this.taken[at] !== option || (count > 0 && this.counts[at] !== count)
    )
  }
}
