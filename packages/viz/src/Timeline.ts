/**
 * Timelines: turns a trace into each step's work, its time, its worker and its causes.
 */
import type { TraceEntry } from "stepgraph"
import { refuseUnknown } from "stepgraph/internal"
import type { RunModel } from "stepgraph/trace"
import type { Drawable } from "./internal/drawable.ts"
import { runsOf } from "./internal/runs.ts"
import type { Timeline } from "./internal/timeline.ts"
import { timelineOf } from "./internal/timeline-of.ts"

export interface TimelineOptions {
  /** The workflow of the run. With it, the timeline knows how many workers each step has. */
  readonly workflow?: Drawable | undefined
}

/**
 * The timeline of a run, computed from its trace. `nested` contains the runs that its steps started. If the trace
 * contains several runs side by side, this is the first; {@link timelines} returns all.
 *
 * The entries may be in any order. A run whose last entries are missing counts as still running. Throws a `TypeError`
 * if the trace contains no run.
 *
 * @example
 * ```ts
 * import { setTimeout as sleep } from "node:timers/promises"
 * import { Schema } from "effect"
 * import { defineEvent, defineStep, gather, runPromise, type TraceEntry, workflow } from "stepgraph"
 * import { timeline } from "@stepgraph/viz"
 *
 * const Start = defineEvent("Start")
 * const Job = defineEvent("Job", { n: Schema.Number })
 * const Done = defineEvent("Done", { n: Schema.Number })
 * const Stop = defineEvent("Stop")
 * const flow = workflow({
 *   name: "jobs", start: Start, stop: Stop,
 *   steps: {
 *     plan: defineStep({ accepts: Start, emits: Job, run: () => [1, 2, 3].map((n) => Job({ n })) }),
 *     work: defineStep({
 *       accepts: Job, emits: Done, workers: 1,
 *       run: async ({ n }) => { await sleep(20); return Done({ n }) }
 *     }),
 *     finish: defineStep({ accepts: gather(Done), emits: Stop, run: () => Stop() })
 *   }
 * })
 *
 * const trace: Array<TraceEntry> = []
 * await runPromise(flow, {}, { observe: (entry) => trace.push(entry) })
 * const { steps, hint } = timeline(trace, { workflow: flow })
 * console.log(steps.map(({ name, invocations }) => `${name} ran ${invocations}`).join(", "))
 * // => plan ran 1, work ran 3, finish ran 1
 * console.log(hint?.startsWith("More workers for 'work' would help most")) // => true
 * ```
 */
export function timeline(trace: Iterable<TraceEntry>, options: TimelineOptions = {}): Timeline {
  const [first] = timelines(trace, options)
  if (first === undefined) {
    throw new TypeError("timeline: this trace has no RunStarted entry: pass all entries that the observer received")
  }
  return first
}

/**
 * The timelines of all top-level runs in a trace, in the order in which they began.
 *
 * @example
 * ```ts
 * import { defineEvent, defineStep, runPromise, type TraceEntry, workflow } from "stepgraph"
 * import { timelines } from "@stepgraph/viz"
 *
 * const Start = defineEvent("Start")
 * const Stop = defineEvent("Stop")
 * const flow = workflow({
 *   name: "short", start: Start, stop: Stop,
 *   steps: { finish: defineStep({ accepts: Start, emits: Stop, run: async () => Stop() }) }
 * })
 *
 * const trace: Array<TraceEntry> = []
 * const observe = (entry: TraceEntry) => trace.push(entry)
 * await Promise.all([runPromise(flow, {}, { observe }), runPromise(flow, {}, { observe })])
 * console.log(timelines(trace).map(({ outcome }) => outcome)) // => [ 'stopped', 'stopped' ]
 * ```
 */
export function timelines(trace: Iterable<TraceEntry>, options: TimelineOptions = {}): ReadonlyArray<Timeline> {
  refuseUnknown("timeline", options, ["workflow"])
  if (typeof (trace as Partial<Iterable<TraceEntry>> | undefined)?.[Symbol.iterator] !== "function") {
    throw new TypeError("timeline: a trace must be an array of the entries that an observer received")
  }
  const { workflow } = options
  const runs = runsOf(trace, workflow)
  const ids = new Set(runs.map(({ id }) => id))
  const isIn = new Map<string, Array<RunModel>>()
  const roots = runs.filter((run) => {
    const { parent } = run
    if (parent === null || !ids.has(parent.run)) return true
    const beside = isIn.get(parent.run)
    if (beside === undefined) isIn.set(parent.run, [run])
    else beside.push(run)
    return false
  })
  const finish = (run: RunModel, workflow: Drawable | undefined): Timeline => {
    const nested = (isIn.get(run.id!) ?? []).map((inner) => finish(inner, undefined))
    return timelineOf(run, workflow, nested)
  }
  return roots.map((run) => finish(run, workflow?.name === run.workflow ? workflow : undefined))
}
