/**
 * Runs a workflow in every possible order, and replays the one that breaks it.
 */
export { CannotReplay, type ExploreError, InvalidExploration, ScheduleFailure } from "./Errors.ts"
export { type Exploration, type ExploreOptions, explore, explorePromise } from "./Explore.ts"
export type { Check, Invariants, Outcome, Seen } from "./Invariant.ts"
export type { Coverage, Edge } from "./internal/coverage.ts"
export { type FaultKind, InjectedFault } from "./internal/faults.ts"
