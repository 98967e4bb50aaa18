/**
 * The model behind a comparison of two runs.
 */
import type { Timeline, TimelineEvent, TimelineInvocation } from "./timeline.ts"

export interface Comparison {
  readonly _tag: "Comparison"
  readonly left: Timeline
  readonly right: Timeline
  /** Whether both runs had the same events, the same order in each step, and the same end, regardless of durations. */
  readonly same: boolean
  /** Whether they ended with the same event and data, or with the same error. */
  readonly sameOutcome: boolean
  readonly events: {
    readonly both: number
    readonly onlyLeft: ReadonlyArray<TimelineEvent>
    readonly onlyRight: ReadonlyArray<TimelineEvent>
    /** Same cause and tag, different data. */
    readonly changed: ReadonlyArray<{ readonly left: TimelineEvent; readonly right: TimelineEvent }>
  }
  /** Invocations that got the same events in both runs but did something else: the points where the runs diverged. */
  readonly parted: ReadonlyArray<{ readonly left: TimelineInvocation; readonly right: TimelineInvocation }>
  /** Steps that began their common invocations in another order, from the first difference on. */
  readonly order: ReadonlyArray<{
    readonly step: string
    readonly left: ReadonlyArray<TimelineInvocation>
    readonly right: ReadonlyArray<TimelineInvocation>
  }>
  readonly steps: ReadonlyArray<{
    readonly name: string
    readonly invocations: readonly [left: number, right: number]
    readonly busy: readonly [left: number, right: number]
    readonly waited: readonly [left: number, right: number]
  }>
  /** The common invocations, largest difference in duration first. */
  readonly durations: ReadonlyArray<{
    readonly left: TimelineInvocation
    readonly right: TimelineInvocation
    readonly difference: number
  }>
}

export const isComparison = (what: unknown): what is Comparison =>
  typeof what === "object" && what !== null && "_tag" in what && what._tag === "Comparison"
