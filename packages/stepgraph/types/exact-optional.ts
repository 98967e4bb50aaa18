// Compiled with `exactOptionalPropertyTypes`, where an optional property must not be undefined unless its type says so:
// every option accepts a value that may be undefined.
import { type Duration, type Schedule, Schema } from "effect"
import {
  collect,
  defineEvent,
  defineState,
  defineStep,
  gather,
  type InvalidEvent,
  join,
  launch,
  launchPromise,
  type Observer,
  type RunError,
  race,
  run,
  runPromise,
  type StateValue,
  type StepRejected,
  type StepTimedOut,
  type WorkflowStalled,
  type WorkflowTimedOut,
  workflow
} from "stepgraph"
import type { Graph } from "stepgraph/graph"
import { RunModel, TraceModel } from "stepgraph/trace"

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_: Same<A, B>) => {}
/** Values that may be undefined. */
const maybe = <A>(): A | undefined => undefined

const Start = defineEvent("Start")
const Doc = defineEvent("Doc", { n: Schema.Number })
const Note = defineEvent("Note", { text: Schema.optionalKey(Schema.String) })
const Stop = defineEvent("Stop")

const step = defineStep({
  accepts: Start,
  emits: Doc,
  workers: maybe<number>(),
  timeout: maybe<Duration.Input>(),
  retry: maybe<{ readonly times: number }>(),
  recover: undefined,
  run: async () => Doc({ n: 1 })
})
defineStep({ accepts: Start, emits: Doc, retry: maybe<Schedule.Schedule<number>>(), run: () => Doc({ n: 1 }) })
export const recovering = (recover: (() => ReturnType<typeof Doc>) | undefined) =>
  defineStep({ accepts: Start, emits: Doc, timeout: undefined, run: async () => Doc({ n: 1 }), recover })

const options = { per: undefined, by: undefined, within: undefined }
const key = maybe<(event: { readonly n: number }) => unknown>()
const docs = [
  defineStep({ accepts: join([Doc], options), emits: Note, run: ([{ n }]) => Note({ text: String(n) }) }),
  defineStep({
    accepts: join([Doc, Start], { by: undefined }),
    emits: Note,
    run: ([{ n }, start]) => Note({ text: `${start._tag} ${n}` })
  }),
  // Whether there is a deadline is not known: so each may be missing.
  defineStep({
    accepts: join([Doc], { by: key, within: maybe<Duration.Input>() }),
    emits: Note,
    run: ([doc]) => Note({ text: String(doc?.n) })
  }),
  defineStep({ accepts: collect(Doc, 2, options), emits: Note, run: ([doc]) => Note({ text: String(doc?.n) }) }),
  defineStep({
    accepts: collect(Doc, 2, { by: key, within: maybe<Duration.Input>(), per: maybe<typeof Start>() }),
    emits: Note,
    run: () => Note()
  }),
  defineStep({
    accepts: gather(Doc, { per: undefined }),
    emits: Note,
    run: (all) => Note({ text: String(all[0]?.n) })
  }),
  defineStep({ accepts: race(Doc, { take: undefined }), emits: Note, run: ({ n }) => Note({ text: String(n) }) }),
  defineStep({
    accepts: race(Doc, { take: maybe<number>(), per: maybe<typeof Start>() }),
    emits: Note,
    run: (given) => Note({ text: String("n" in given ? given.n : given.length) })
  })
]
join([Doc], maybe<{ readonly by: (event: { readonly n: number }) => unknown }>())
gather(Doc, undefined)
race(Doc, undefined)
collect(Doc, 1, undefined)

const flow = workflow({
  name: "exact",
  start: Start,
  stop: Stop,
  inputs: undefined,
  outputs: undefined,
  timeout: maybe<Duration.Input>(),
  steps: { step, end: defineStep({ accepts: Doc, emits: Stop, run: () => Stop() }) }
})
same<RunError<typeof flow>, StepRejected | StepTimedOut | WorkflowTimedOut | WorkflowStalled | InvalidEvent>(true)
const untimed = workflow({
  ...flow,
  timeout: undefined,
  steps: { ...flow.steps, step: recovering(() => Doc({ n: 1 })) }
})
same<RunError<typeof untimed>, WorkflowStalled | InvalidEvent>(true)

const state = maybe<ReadonlyArray<StateValue>>()
const signal = maybe<AbortSignal>()
const observe = maybe<Observer>()
export const runs = [
  run(flow, undefined, { state }),
  run(flow, {}, undefined),
  launch(flow, undefined, { state, keep: maybe<number>() }),
  launch(flow, undefined, undefined)
]
export const promises = [
  runPromise(flow, undefined, { signal, observe, state }),
  runPromise(flow, undefined, undefined),
  launchPromise(flow, undefined, { signal, observe, state, keep: maybe<number>() }),
  launchPromise(flow, {}, undefined)
]

const graph = maybe<Graph>()
export const models = [
  new RunModel({ graph, keep: maybe<number>() }),
  new TraceModel({ graphs: maybe<ReadonlyArray<Graph>>(), keep: undefined })
]

export const unused = [docs, defineState("seen", Schema.Number, 0)]
