/**
 * A saved trace as a home of runs.
 */
import * as Effect from "effect/Effect"
import type { TraceEntry } from "stepgraph"
import { servedRuns } from "./internal/kept-runs.ts"
import type { Runs } from "./Runs.ts"

/**
 * The runs of a saved trace, and those that they have started, as a home for `serve`. They can only be looked at.
 *
 * @example
 * ```ts
 * import { defineEvent, defineStep, runPromise, type TraceEntry, workflow } from "stepgraph"
 * import { keptRuns, serve } from "@stepgraph/server"
 *
 * const Start = defineEvent("Start")
 * const Stop = defineEvent("Stop")
 * const finish = defineStep({ accepts: Start, emits: Stop, run: () => Stop() })
 * const flow = workflow({ name: "short", start: Start, stop: Stop, steps: { finish } })
 * const trace: Array<TraceEntry> = []
 * await runPromise(flow, {}, { observe: (entry) => trace.push(entry) })
 *
 * await using handler = serve({ workflows: [], runs: keptRuns(trace), auth: "none" })
 * const response = await handler(new Request("http://localhost/api/runs"))
 * const { runs } = (await response.json()) as { readonly runs: ReadonlyArray<{ readonly workflow: string }> }
 * console.log(runs.map(({ workflow }) => workflow)) // => [ 'short' ]
 * ```
 */
export const keptRuns = (trace: ReadonlyArray<TraceEntry>): Runs => {
  const all = servedRuns(trace)
  return {
    // There is no workflow to start.
    start: () => Effect.die(new Error("a saved trace starts no runs")),
    get: (id) => Effect.succeed(all.get(id)),
    list: ({ cursor, limit, q, sees, since = 0, status, workflow }) =>
      Effect.sync(() => {
        const newest = [...all.values()].map(({ summary }) => summary).reverse()
        const from = cursor === undefined ? 0 : newest.findIndex(({ id }) => id === cursor) + 1
        const wanted = newest
          .slice(from)
          .filter(
            (run) =>
              sees(run) &&
              Date.parse(run.startedAt) >= since &&
              (workflow === undefined || run.workflow === workflow) &&
              (status === undefined || run.status === status) &&
              (q === undefined || `${run.id} ${run.workflow}`.includes(q))
          )
        const runs = wanted.slice(0, limit)
        return { runs, next: wanted.length > limit ? runs.at(-1)!.id : null }
      })
  }
}
