// Compiled with `exactOptionalPropertyTypes`, where an optional property must not be undefined unless its type says so:
// every option accepts a value that may be undefined.
import { type ExploreOptions, explore, explorePromise } from "@stepgraph/testing"
import { defineEvent, defineStep, workflow } from "stepgraph"

/** Values that may be undefined. */
const maybe = <A>(): A | undefined => undefined

const Start = defineEvent("Start")
const Stop = defineEvent("Stop")
const step = defineStep({ accepts: Start, emits: Stop, run: () => Stop() })
const flow = workflow({ name: "exact", start: Start, stop: Stop, steps: { step } })

const exploring: ExploreOptions<typeof flow> = {
  input: undefined,
  inputs: maybe<number>(),
  schedules: maybe<number>(),
  random: maybe<number>(),
  seed: maybe<number>(),
  time: maybe<"any" | "ordered">(),
  lanes: undefined,
  fibers: undefined,
  results: undefined,
  timers: undefined,
  preempt: undefined,
  cancel: maybe<boolean>(),
  crash: maybe<boolean>(),
  setup: undefined,
  sends: undefined,
  faults: undefined,
  replay: maybe<string>(),
  layer: undefined,
  program: undefined,
  invariants: { sameResult: maybe<boolean>(), neverStalls: undefined, eachConsumed: undefined },
  check: undefined,
  patience: undefined,
  logs: undefined,
  seconds: undefined,
  onFailure: undefined,
  progress: undefined,
  warn: undefined
}
export const explorations = [
  explore(flow, exploring),
  explore(flow, undefined),
  explore(flow, { faults: { kinds: ["fail"], max: maybe<number>(), steps: maybe<ReadonlyArray<"step">>() } })
]
export const explored = explorePromise(flow, { ...exploring, signal: maybe<AbortSignal>() })
