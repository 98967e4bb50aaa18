/**
 * Lists durable runs, and forgets those that ended some time ago.
 */
import * as Effect from "effect/Effect"
import { kindOf, refuseUnknown } from "stepgraph/internal"
import type { EndedState, RunState, StoredRun, StoreService } from "./Store.ts"

/** A run in a list. */
export interface RunSummary {
  readonly id: string
  readonly workflow: string
  readonly version: string
  readonly state: RunState
  readonly createdAt: Date
  readonly endedAt: Date | undefined
}

/** Which runs to list, newest first. */
export interface ListOptions {
  readonly workflow?: string | undefined
  readonly state?: RunState | undefined
  /** Lists the runs after this one, such as the last run of the page before. It may have been deleted. */
  readonly after?: Pick<RunSummary, "createdAt" | "id"> | undefined
  /** Default: 100. */
  readonly limit?: number | undefined
}

/** Which runs to delete, of those that have ended. */
export interface ForgetOptions {
  readonly endedBefore: Date
  readonly workflow?: string | undefined
  /** Only those that ended in this state. */
  readonly state?: EndedState | undefined
}

const summaryOf = ({ createdAt, endedAt, flow, id, state, version }: StoredRun): RunSummary => ({
  id,
  workflow: flow,
  version,
  state,
  createdAt: new Date(createdAt),
  endedAt: endedAt === undefined ? undefined : new Date(endedAt)
})

export const listed = (store: StoreService, options: ListOptions): Effect.Effect<ReadonlyArray<RunSummary>> =>
  Effect.suspend(() => {
    refuseUnknown("list", options, ["workflow", "state", "after", "limit"])
    const { after, limit = 100, state, workflow } = options
    if (!Number.isSafeInteger(limit) || limit < 1) {
      throw new RangeError(`list: limit is ${limit}: give a whole number of at least 1, or leave it out`)
    }
    const place = after && { createdAt: timeOf("list: after.createdAt", after.createdAt), id: after.id }
    const runs = store.list({ flow: workflow, state, after: place, limit })
    return Effect.map(runs, (runs) => runs.map(summaryOf))
  })

/** What is deleted in one transaction, so that nobody waits long for it. */
const atOnce = 500

/** Gives how many there were. */
export const forgotten = (store: StoreService, options: ForgetOptions): Effect.Effect<number> =>
  Effect.suspend(() => {
    refuseUnknown("forget", options, ["endedBefore", "workflow", "state"])
    const { state, workflow } = options
    const endedBefore = timeOf("forget: endedBefore", options.endedBefore)
    const some = store.forgetEnded({ flow: workflow, state, endedBefore, limit: atOnce })
    const all = (before: number): Effect.Effect<number> =>
      Effect.flatMap(some, (count) =>
        count < atOnce ? Effect.succeed(before + count) : Effect.andThen(Effect.yieldNow, all(before + count))
      )
    return all(0)
  })

const timeOf = (what: string, date: unknown): number => {
  if (date instanceof Date && !Number.isNaN(date.getTime())) return date.getTime()
  throw new TypeError(`${what} must be a Date, not ${date instanceof Date ? "an invalid one" : kindOf(date)}`)
}
