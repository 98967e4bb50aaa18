/**
 * The choices of one run: the possible ways to continue, the one taken, and their number.
 *
 * A schedule is a path of choices. Way 0 of each choice is production's, so the deviations alone identify a path.
 */

/** The kind of a choice: `order` chooses what goes on next; the others are events that happen to it. */
export type Kind = "order" | "fault" | "preempt" | "cancel" | "crash"

/** One choice that differs from production. `count` is the number of ways, or 0 if unknown. */
export interface Deviation {
  readonly at: number
  readonly option: number
  readonly count: number
}

/** Chooses a way. The keys name the ways and are the same in every run. */
export type Strategy = (at: number, count: number, kind: Kind, keys: () => ReadonlyArray<string>) => number

/** The path with these deviations that otherwise follows production. */
export const along = (deviations: ReadonlyArray<Deviation>): Strategy => {
  let next = 0
  return (at) => {
    if (deviations[next]?.at !== at) return 0
    return deviations[next++]!.option
  }
}

export class Choices {
  /** The number of ways at each choice, and the one taken. */
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

  /** The first deviation that this run could not follow because its choices were different. */
  missed(deviations: ReadonlyArray<Deviation>): Deviation | undefined {
    return deviations.find(
      ({ at, option, count }) => this.taken[at] !== option || (count > 0 && this.counts[at] !== count)
    )
  }
}
