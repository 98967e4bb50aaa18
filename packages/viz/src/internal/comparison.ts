/**
 * What is known of two runs beside each other.
 */
import type { Timeline, TimelineEvent, TimelineInvocation } from "./timeline.ts"

export interface Comparison {
  readonly kind: "comparison"
  readonly left: Timeline
  readonly right: Timeline
  /** Whether both had the same events, the same order in each step, and the same end. Durations aside. */
  readonly same: boolean
  /** Whether they ended with the same event and the same data in it, or with the same error. */
  readonly sameOutcome: boolean
  readonly events: {
    readonly both: number
    readonly onlyLeft: ReadonlyArray<TimelineEvent>
    readonly onlyRight: ReadonlyArray<TimelineEvent>
    /** Of the same cause and tag, but with other data. */
    readonly changed: ReadonlyArray<{ readonly left: TimelineEvent; readonly right: TimelineEvent }>
  }
  /** Invocations that were given the same on both sides and then did something else: where the runs parted. */
  readonly parted: ReadonlyArray<{ readonly left: TimelineInvocation; readonly right: TimelineInvocation }>
  /** Steps that began the invocations which both runs have in another order, from the first that differs on. */
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
  /** The invocations which both runs have, those first whose durations differ most. */
  readonly durations: ReadonlyArray<{
    readonly left: TimelineInvocation
    readonly right: TimelineInvocation
    readonly difference: number
  }>
}

export const isComparison = (what: unknown): what is Comparison =>
  typeof what === "object" && what !== null && "kind" in what && what.kind === "comparison"
