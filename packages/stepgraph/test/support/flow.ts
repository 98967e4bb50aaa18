// The events that most tests of the contract speak with, the doors as a caller without types sees them, and a trace.
import { Effect, Schema } from "effect"
import {
  defineEvent,
  defineStep,
  Observer,
  type RunPromiseOptions,
  runPromise,
  type TraceEntry,
  type Workflow,
  workflow
} from "stepgraph"

export const Start = defineEvent("Start")
export const Task = defineEvent("Task", { n: Schema.Number })
export const Done = defineEvent("Done", { n: Schema.Number })
export const Stop = defineEvent("Stop", { values: Schema.Array(Schema.Number) })

export const stop = (...values: ReadonlyArray<number>) => Stop({ values })
export const numbers = (events: ReadonlyArray<{ readonly n: number }>) => events.map(({ n }) => n)
export const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)

/** Types for a caller without types: anything goes. */
type Anything = Workflow<typeof Start, typeof Stop, any, any, any, any>
export const untyped = {
  step: defineStep as unknown as (definition: unknown) => any,
  workflow: workflow as unknown as (definition?: unknown) => Anything,
  runPromise: runPromise as unknown as (
    flow?: unknown,
    input?: unknown,
    options?: RunPromiseOptions
  ) => Promise<ReturnType<typeof Stop>>
}

/** A run's trace, and its observer. */
export const recorded = () => {
  const entries: Array<TraceEntry> = []
  const observe = (entry: TraceEntry) => void entries.push(entry)
  const of = <Tag extends TraceEntry["_tag"]>(tag: Tag) =>
    entries.filter((entry): entry is Extract<TraceEntry, { readonly _tag: Tag }> => entry._tag === tag)
  return {
    entries,
    of,
    observe,
    record: Effect.provideService(Observer, observe)
  }
}
