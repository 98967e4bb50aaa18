// Everything here compiles, and the annotated types are exactly what is inferred.
import { type } from "arktype"
import { Context, Effect, type Exit, Schedule, Schema, Stream } from "effect"
import {
  around,
  asStep,
  collect,
  defineEvent,
  defineLimit,
  defineState,
  defineStep,
  gather,
  type InvalidEvent,
  join,
  type Limit,
  launch,
  type NoAnswer,
  type Run,
  type RunEnded,
  type RunError,
  type RunHandleOf,
  type RunOf,
  race,
  run,
  runPromise,
  type Step,
  type StepRejected,
  type StepTimedOut,
  stream as streamOf,
  type WorkflowError,
  type WorkflowStalled,
  type WorkflowTimedOut,
  workflow
} from "stepgraph"
import * as v from "valibot"
import { z } from "zod"

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_: Same<A, B>) => {}
type Err<T> = T extends Effect.Effect<any, infer E, any> ? E : never
type Req<T> = T extends Effect.Effect<any, any, infer R> ? R : never

const Start = defineEvent("Start")
const Topic = defineEvent("Topic", { topic: Schema.String })
const Query = defineEvent("Query", { query: Schema.String })
const Answer = defineEvent("Answer", { result: Schema.String })
const Other = defineEvent("Other", { n: Schema.Number })
export const Approval = defineEvent("Approval", { ok: Schema.Boolean })
const Stop = defineEvent("Stop", { result: Schema.String })
const seen = defineState("seen", Schema.Number, 0)
class Db extends Context.Service<Db, { get: (q: string) => Effect.Effect<string, "DbDown"> }>()("Db") {}

const start = defineStep({
  accepts: Start,
  emits: Query,
  run: () => [1, 2, 3].map((n) => Query({ query: `Query ${n}` }))
})
const search = defineStep({
  accepts: Query,
  emits: Answer,
  workers: 4,
  run: ({ query }) =>
    Effect.gen(function* () {
      const db = yield* Db
      return Answer({ result: yield* db.get(query) })
    })
})
const searchAsync = defineStep({
  accepts: Query,
  emits: Answer,
  retry: { times: 3, schedule: Schedule.exponential("100 millis") },
  run: async ({ query }, { signal }) => Answer({ result: query + signal.aborted })
})
const limited = defineStep({
  accepts: Query,
  emits: Answer,
  timeout: "1 second",
  run: async ({ query }) => Answer({ result: query })
})
const recovered = defineStep({
  accepts: Query,
  emits: Answer,
  timeout: "1 second",
  run: async ({ query }) => Answer({ result: query }),
  recover: (error, { query }) => Answer({ result: `${query}: ${error._tag}` })
})

// The services and errors of a retry belong to the step.
class Flags extends Context.Service<Flags, { readonly again: boolean }>()("Flags") {}
class Http extends Context.Service<Http, { readonly ping: Effect.Effect<void> }>()("Http") {}
type ErrorOf<S> = S extends Step<any, any, infer E, any> ? E : never
type ServicesOf<S> = S extends Step<any, any, any, infer R> ? R : never
const limits = {} as Schedule.Schedule<number, unknown, "NoLimits", Http>
const asking = defineStep({
  accepts: Query,
  emits: Answer,
  timeout: "1 second",
  run: async ({ query }) => Answer({ result: query }),
  retry: { while: (error) => Effect.map(Flags, ({ again }) => again && error._tag === "StepTimedOut") }
})
same<ErrorOf<typeof asking>, StepRejected | StepTimedOut>(true)
same<ServicesOf<typeof asking>, Flags>(true)
const scheduled = defineStep({
  accepts: Query,
  emits: Answer,
  run: async ({ query }) => Answer({ result: query }),
  retry: limits
})
same<ErrorOf<typeof scheduled>, StepRejected | "NoLimits">(true)
same<ServicesOf<typeof scheduled>, Http>(true)
// An inline schedule takes the step's errors.
const inPlace = defineStep({
  accepts: Query,
  emits: Answer,
  run: () => Effect.fail("DbDown" as const),
  retry: { schedule: Schedule.exponential("1 second").pipe(Schedule.tap(() => Effect.asVoid(Http))) }
})
same<ErrorOf<typeof inPlace>, "DbDown">(true)
same<ServicesOf<typeof inPlace>, Http>(true)
const conditional = defineStep({
  accepts: Query,
  emits: Answer,
  run: async ({ query }) => Answer({ result: query }),
  retry: { times: 3, schedule: limits, until: () => Effect.fail("NoAnswer" as const) }
})
same<ErrorOf<typeof conditional>, StepRejected | "NoLimits" | "NoAnswer">(true)
same<ServicesOf<typeof conditional>, Http>(true)
const optional = {} as {
  readonly schedule?: typeof limits
  readonly while?: ((error: unknown) => Effect.Effect<boolean, "NoFlags", Flags>) | undefined
}
const perhaps = defineStep({
  accepts: Query,
  emits: Answer,
  run: async ({ query }) => Answer({ result: query }),
  retry: optional
})
same<ErrorOf<typeof perhaps>, StepRejected | "NoLimits" | "NoFlags">(true)
same<ServicesOf<typeof perhaps>, Http | Flags>(true)
const saved = defineStep({
  accepts: Query,
  emits: Answer,
  run: () => Effect.fail("DbDown" as const),
  retry: { schedule: limits, while: (error) => error === "DbDown" },
  recover: (error) => {
    same<typeof error, "DbDown" | "NoLimits">(true)
    return Effect.map(Db, () => Answer({ result: error }))
  }
})
same<ErrorOf<typeof saved>, never>(true)
same<ServicesOf<typeof saved>, Db | Http>(true)
const plainly = defineStep({
  accepts: Query,
  emits: Answer,
  retry: {} as Effect.Retry.Options<StepRejected>,
  run: async ({ query }) => Answer({ result: query })
})
same<ErrorOf<typeof plainly>, StepRejected>(true)
same<ServicesOf<typeof plainly>, never>(true)
// An async iterable from an Effect may reject.
const given = defineStep({
  accepts: Start,
  emits: Query,
  run: () => Effect.map(Db, () => ({}) as AsyncIterable<ReturnType<typeof Query>>)
})
same<ErrorOf<typeof given>, StepRejected>(true)
same<ServicesOf<typeof given>, Db>(true)

const generator = defineStep({
  accepts: Start,
  emits: Query,
  run: function* () {
    yield Query({ query: "a" })
    yield Query({ query: "b" })
  }
})
const asyncGenerator = defineStep({
  accepts: Start,
  emits: [Query, Other],
  run: async function* () {
    yield Query({ query: "a" })
    yield Other({ n: 1 })
  }
})
const stream = defineStep({ accepts: Start, emits: Query, run: () => Stream.fromIterable([Query({ query: "x" })]) })
const finish = defineStep({
  accepts: collect(Answer, 3),
  emits: Stop,
  run: (answers) => Stop({ result: answers.map((a) => a.result).join() })
})
const finishAll = defineStep({
  accepts: gather(Answer, { per: Query }),
  emits: Stop,
  run: (answers, { per }) => Stop({ result: `${per.query}: ${answers.map((a) => a.result).join()}` })
})
const finishBoth = defineStep({
  accepts: join([Other, Answer]),
  emits: Stop,
  run: ([other, answer]) => Stop({ result: answer.result + other.n.toFixed() })
})
const finishSoon = defineStep({
  accepts: join([Other, Answer], { within: "2 seconds" }),
  emits: Stop,
  run: ([other, answer]) => Stop({ result: (answer?.result ?? "none") + (other?.n ?? 0) })
})
const finishFirst = defineStep({
  accepts: race(Answer, { per: Start }),
  emits: Stop,
  run: (answer) => Stop({ result: answer.result })
})
const finishTwo = defineStep({
  accepts: race(Answer, { take: 2 }),
  emits: Stop,
  run: (answers) => Stop({ result: answers.map((a) => a.result).join() })
})
const finishByHand = defineStep({
  accepts: Answer,
  emits: Stop,
  run: (_, ctx) => {
    ctx.update(seen, (n) => n + 1)
    const all = ctx.collect([Answer, Answer, Answer])
    if (!all) return
    return Stop({ result: all[0].result + all[1].result + ctx.get(seen) })
  }
})
const branch = defineStep({
  accepts: [Answer, Other],
  emits: Stop,
  run: (event, ctx) => {
    if (event._tag === "Other") return
    ctx.send(Stop({ result: event.result }))
  }
})

const flow = workflow({ name: "seed", start: Start, stop: Stop, steps: { start, search, finish } })
const effect = run(flow)
same<Err<typeof effect>, "DbDown" | WorkflowStalled | InvalidEvent>(true)
same<Req<typeof effect>, Db>(true)

const plain = workflow({
  name: "plain",
  start: Start,
  stop: Stop,
  timeout: "10 seconds",
  steps: { generator, searchAsync, finishAll }
})
same<Err<ReturnType<typeof run<typeof plain>>>, StepRejected | WorkflowTimedOut | WorkflowStalled | InvalidEvent>(true)
export const answer: Promise<string> = runPromise(plain, {}, { signal: AbortSignal.abort() }).then(
  (stop) => stop.result
)

const w1 = workflow({ name: "w1", start: Start, stop: Stop, steps: { asyncGenerator, limited, finishBoth } })
same<Err<ReturnType<typeof run<typeof w1>>>, StepRejected | StepTimedOut | WorkflowStalled | InvalidEvent>(true)
const w2 = workflow({ name: "w2", start: Start, stop: Stop, steps: { stream, recovered, finishByHand } })
same<Err<ReturnType<typeof run<typeof w2>>>, WorkflowStalled | InvalidEvent>(true)
workflow({ name: "w3", start: Start, stop: Stop, steps: { asyncGenerator, searchAsync, finishSoon } })
workflow({ name: "w4", start: Start, stop: Stop, steps: { start, searchAsync, finishFirst } })
workflow({ name: "w5", start: Start, stop: Stop, steps: { start, searchAsync, finishTwo } })
workflow({ name: "w6", start: Start, stop: Stop, steps: { asyncGenerator, searchAsync, branch } })

// A workflow is plain data: extend it by spreading it, nest it by running it.
export const overridden = workflow({ ...plain, steps: { ...plain.steps, searchAsync: recovered } })
const ask = workflow({
  name: "ask",
  start: Query,
  stop: Stop,
  steps: {
    recovered,
    finishFirst: defineStep({ accepts: Answer, emits: Stop, run: (a) => Stop({ result: a.result }) })
  }
})
const nested = defineStep({
  accepts: Topic,
  emits: Answer,
  run: ({ topic }) => run(ask, { query: topic }).pipe(Effect.map((stop) => Answer({ result: stop.result })))
})
export const outer = workflow({
  name: "outer",
  start: Topic,
  stop: Stop,
  inputs: [Approval],
  outputs: [Other],
  steps: {
    nested,
    report: defineStep({ accepts: Answer, emits: Other, run: () => Other({ n: 1 }) }),
    decide: defineStep({
      accepts: join([Approval, Answer]),
      emits: Stop,
      run: ([approval, a]) => Stop({ result: `${approval.ok} ${a.result}` })
    })
  }
})

export const program = Effect.gen(function* () {
  const live = yield* launch(outer, { topic: "birds" })
  yield* live.send(Approval({ ok: true }))
  return (yield* live.result).result
}).pipe(Effect.scoped)

type ApprovalEvent = { readonly _tag: "Approval" } & { readonly ok: boolean }
type Heard =
  | ({ readonly _tag: "Other" } & { readonly n: number })
  | ({ readonly _tag: "Stop" } & { readonly result: string })
type OuterError = RunError<typeof outer>
same<OuterError, RunError<typeof ask>>(true)
type LiveError = WorkflowError<typeof outer>
const live = {} as RunOf<typeof outer>
const handle = {} as RunHandleOf<typeof outer>
same<Parameters<typeof live.send>[0]["_tag"], ApprovalEvent["_tag"]>(true)
same<Err<ReturnType<typeof live.send>>, InvalidEvent | RunEnded>(true)
same<Stream.Success<typeof live.events>["_tag"], Heard["_tag"]>(true)
same<Stream.Error<typeof live.events>, LiveError>(true)
same<Err<typeof live.result>, LiveError>(true)
same<Effect.Success<typeof live.await>, Exit.Exit<ReturnType<typeof Stop>, LiveError>>(true)
// A handle's type consists of its inputs and outputs, not of its workflow.
export const widened: Run<ApprovalEvent, Heard, unknown, unknown> = live
same<Effect.Success<typeof live.result>["result"], string>(true)
same<Parameters<typeof handle.send>[0]["ok"], boolean>(true)
same<Awaited<typeof handle.result>["result"], string>(true)
export const iterating = async () => {
  for await (const event of handle.events) {
    const text: string = event._tag === "Other" ? event.n.toFixed() : event.result
    if (text === "") return
  }
}
// Nothing to listen to but the stop event, and nothing to send.
const silent = {} as RunOf<typeof plain>
same<Stream.Success<typeof silent.events>["_tag"], "Stop">(true)
same<Parameters<typeof silent.send>[0], never>(true)
// A made start event fits; a literal that looks like one must still be checked.
const made = run(flow, Start())
same<Err<typeof made>, "DbDown" | WorkflowStalled>(true)
const question = Query({ query: "x" })
const asked = run(ask, question)
same<Err<typeof asked>, WorkflowStalled>(true)
// An API has checked its payload with the event's schema.
const payload = run(ask, {} as typeof Query.schema.Type)
same<Err<typeof payload>, WorkflowStalled>(true)
const alike = { _tag: "Query", query: "x" } as const
const literal = run(ask, alike)
same<Err<typeof literal>, WorkflowStalled | InvalidEvent>(true)
const anything = run(ask, {} as any)
same<Err<typeof anything>, WorkflowStalled | InvalidEvent>(true)
const other = run(ask, { ...question, query: "y" })
same<Err<typeof other>, WorkflowStalled | InvalidEvent>(true)
const fields = launch(ask, { query: "x" })
same<Err<typeof fields>, InvalidEvent>(true)
const launched = launch(ask, question)
same<Err<typeof launched>, never>(true)
// A run as a stream needs no scope.
const heard = streamOf(outer, { topic: "birds" })
same<Stream.Success<typeof heard>["_tag"], "Other" | "Stop">(true)
same<Stream.Error<typeof heard>, OuterError>(true)
same<Stream.Services<typeof heard>, never>(true)
const scoped = streamOf(flow, Start())
same<Stream.Error<typeof scoped>, "DbDown" | WorkflowStalled>(true)
same<Stream.Services<typeof scoped>, Db>(true)

// An event without fields is made of nothing, and may be given itself.
export const begun = [run(flow), run(flow, {}), run(flow, Start()), run(flow, undefined, { state: [seen.with(1)] })]
export const decoded: { readonly query: string } = Query.fromJson({ query: "x" })

// A field with a default may be left out where an event is made, and is there in the event.
const Job = defineEvent("Job", {
  id: Schema.String,
  tries: Schema.Number.pipe(Schema.withConstructorDefault(Effect.succeed(3))),
  note: Schema.optionalKey(Schema.String)
})
const Tick = defineEvent("Tick", { at: Schema.Number.pipe(Schema.withConstructorDefault(Effect.succeed(0))) })
same<ReturnType<typeof Job>["tries"], number>(true)
const Parcel = defineEvent("Parcel", {
  to: Schema.Struct({
    city: Schema.String,
    country: Schema.String.pipe(Schema.withConstructorDefault(Effect.succeed("SE")))
  })
})
export const parcel: string = Parcel({ to: { city: "Lund" } }).to.country
const Draft = defineEvent("Draft", { tags: Schema.mutableKey(Schema.String), at: Schema.optional(Schema.Number) })
export const draft: { readonly _tag: "Draft"; tags: string; readonly at?: number | undefined } = Draft({ tags: "a" })
/** Fields that are not known yet. */
export const generic = <const F extends Record<string, Schema.Codec<unknown, unknown>>>(fields: F): "Any" =>
  defineEvent("Any", fields).tag
export const jobs = [Job({ id: "a" }), Job({ id: "a", tries: 1, note: "b" }), Job({ ...Job({ id: "a" }), id: "b" })]
export const ticks = [Tick(), Tick({}), Tick({ at: 1 })]
const job = workflow({
  name: "job",
  start: Job,
  stop: Tick,
  steps: { tick: defineStep({ accepts: Job, emits: Tick, run: ({ tries }) => Tick({ at: tries.valueOf() }) }) }
})
const ticking = workflow({
  name: "ticking",
  start: Tick,
  stop: Stop,
  steps: { stop: defineStep({ accepts: Tick, emits: Stop, run: ({ at }) => Stop({ result: at.toFixed() }) }) }
})
export const defaulted = [run(job, { id: "a" }), run(job, Job({ id: "a" })), launch(job, { id: "a", tries: 2 })]
export const ticked = [run(ticking), run(ticking, {}), run(ticking, undefined, { state: [] }), run(ticking, { at: 3 })]

// The result of `update` keeps its literal types.
const Message = Schema.Struct({ role: Schema.Literals(["user", "assistant"]), text: Schema.String })
const history = defineState("history", Schema.Array(Message), [])
const counts = defineState("counts", Schema.mutable(Schema.Array(Schema.Number)), () => [])
const phase = defineState("phase", Schema.Literals(["idle", "busy"]), "idle")
defineStep({
  accepts: Query,
  emits: [],
  run: ({ query: text }, { update }) => {
    const all = update(history, (messages) => [...messages, { role: "user", text }])
    same<typeof all, ReadonlyArray<typeof Message.Type>>(true)
    update(phase, (now) => (now === "idle" ? "busy" : "idle"))
    update(seen, (n) => n + 1)
    update(counts, (all) => [...all, 1])
    update(counts, (all) => {
      all.push(2)
      return all
    })
  }
})

// An event's schema is the tagged struct of its fields, with both sides and the services that encoding needs.
const Visit = defineEvent(
  "Visit",
  { at: Schema.DateFromString, count: Schema.FiniteFromString },
  { description: "Somebody came by", examples: [{ _tag: "Visit", at: new Date(0), count: 1 }] }
)
same<
  typeof Visit.schema,
  Schema.TaggedStruct<
    "Visit",
    { readonly at: typeof Schema.DateFromString; readonly count: typeof Schema.FiniteFromString }
  >
>(true)
export const tagOf: "Visit" = Visit.schema.fields._tag.schema.literal
export const again = Schema.Struct({ ...Visit.schema.fields, by: Schema.String })
same<typeof Visit.schema.Encoded, { readonly _tag: "Visit"; readonly at: string; readonly count: string }>(true)
same<typeof Visit.schema.DecodingServices, never>(true)
const Counted = defineEvent("Counted", Schema.Struct({ n: Schema.Number, at: Schema.optional(Schema.Date) }))
same<typeof Counted.schema.Type, { readonly _tag: "Counted"; readonly n: number; readonly at?: Date | undefined }>(true)
export const counted: number = Counted({ n: 1 }).n
const numbers = defineState("numbers", Schema.Array(Schema.FiniteFromString), [], { description: "seen so far" })
same<typeof numbers.schema.Encoded, ReadonlyArray<string>>(true)

// Schemas of other libraries give an event its types: what it is made of, and what it has.
const Zod = defineEvent(
  "Zod",
  z.object({
    query: z.string(),
    limit: z.number().default(5),
    at: z.coerce.date().optional(),
    word: z.string().optional()
  })
)
export const zods = [Zod({ query: "x" }), Zod({ query: "x", limit: 3, at: "2026-01-01", word: "y" })]
same<ReturnType<typeof Zod>["limit"], number>(true)
same<ReturnType<typeof Zod>["at"], Date | undefined>(true)
export const zodWord: { readonly word?: string | undefined } = Zod({ query: "x" })
const Mixed = defineEvent("Mixed", {
  a: z.string().optional(),
  b: v.pipe(v.string(), v.transform(Number)),
  c: type("number.integer"),
  d: Schema.Date,
  e: v.optional(v.string(), "x"),
  f: z.unknown()
})
export const mixed: {
  readonly a?: string | undefined
  readonly b: number
  readonly c: number
  readonly d: Date
  readonly e: string
} = Mixed({ b: "5", c: 3, d: new Date(), f: 1 })
same<typeof Mixed.schema.Type.e, string>(true)
same<typeof Mixed.schema.Encoded.b, string>(true)
const Shape = defineEvent(
  "Shape",
  z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("circle"), radius: z.number() }),
    z.object({ kind: z.literal("square"), side: z.number() })
  ])
)
const shape = Shape({ kind: "circle", radius: 1 })
export const size: number = shape.kind === "circle" ? shape.radius : shape.side
const Ark = defineEvent("Ark", type({ name: "string", "age?": "number" }))
export const ark: number | undefined = Ark({ name: "x" }).age
const Valibot = defineEvent("Valibot", v.object({ name: v.string(), n: v.optional(v.number(), 3) }))
export const valibot: number = Valibot({ name: "x" }).n
const total = defineState("total", z.number().int(), 0)
same<typeof total, ReturnType<typeof defineState<"total", z.ZodNumber>>>(true)
const foreign = workflow({
  name: "foreign",
  start: Zod,
  stop: Mixed,
  inputs: [Shape],
  steps: {
    begin: defineStep({
      accepts: Zod,
      emits: Mixed,
      run: ({ limit }, ctx) => Mixed({ b: "5", c: ctx.update(total, (n) => n + limit), d: new Date(), f: 1 })
    }),
    shapes: defineStep({ accepts: Shape, emits: [], run: () => {} })
  }
})
export const foreigners = [run(foreign, { query: "x" }), run(foreign, Zod({ query: "x" }))]

// A workflow as a step: its errors, services and stop events are the step's, and of its outputs those that are asked for.
const talkative = workflow({
  name: "talkative",
  start: Query,
  stop: Answer,
  outputs: [Other, Topic],
  steps: {
    search,
    talk: defineStep({
      accepts: Query,
      emits: [Other, Topic],
      run: async ({ query }) => [Other({ n: 1 }), Topic({ topic: query })]
    })
  }
})
const inside = asStep(talkative, { workers: 8, timeout: undefined, outputs: [Other] })
same<typeof inside, Step<"Query", "Answer" | "Other", "DbDown" | StepRejected | WorkflowStalled, Db>>(true)
const quiet = asStep(talkative)
same<typeof quiet, Step<"Query", "Answer", "DbDown" | StepRejected | WorkflowStalled, Db>>(true)
const timed = asStep(talkative, {
  timeout: "1 second",
  retry: { times: 3, while: (error) => Effect.map(Flags, ({ again }) => again && error !== "DbDown") }
})
same<ErrorOf<typeof timed>, "DbDown" | StepRejected | WorkflowStalled | StepTimedOut>(true)
same<ServicesOf<typeof timed>, Db | Flags>(true)
const safe = asStep(talkative, {
  timeout: "1 second",
  outputs: [Other],
  recover: (error, { query }, { send }) => {
    same<typeof error, "DbDown" | StepRejected | WorkflowStalled | StepTimedOut>(true)
    send(Other({ n: 1 }))
    return Answer({ result: query })
  }
})
same<typeof safe, Step<"Query", "Answer" | "Other", never, Db>>(true)
const outerFlow = workflow({
  name: "outer",
  start: Start,
  stop: Stop,
  outputs: [Other],
  steps: { start, inside, end: defineStep({ accepts: gather(Answer), emits: Stop, run: () => Stop({ result: "" }) }) }
})
export const outerRun = run(outerFlow)
same<Err<typeof outerRun>, "DbDown" | StepRejected | WorkflowStalled | InvalidEvent>(true)
same<Req<typeof outerRun>, Db>(true)

// Around every step: types stay, and the services of an Effect are added.
const logged = around(outerFlow, (call, next) => {
  same<typeof call.step, "start" | "inside" | "end">(true)
  console.log(call.step, call.input, call.ctx.attempt)
  return next()
})
same<typeof logged, typeof outerFlow>(true)
const awaited = around(outerFlow, async (_, next) => await next())
same<typeof awaited, typeof outerFlow>(true)
const served = around(outerFlow, (_, next) =>
  Effect.andThen(
    Http.use(({ ping }) => ping),
    next.effect
  )
)
const servedRun = run(served)
same<Err<typeof servedRun>, Err<typeof outerRun>>(true)
same<Req<typeof servedRun>, Db | Http>(true)
export const spread = workflow({
  ...served,
  timeout: "1 second",
  grace: "2 seconds",
  steps: { ...served.steps, start }
})
const spanned = around(outerFlow, ({ step }, next) => Effect.withSpan(next.effect, step))
same<Req<ReturnType<typeof run<typeof spanned>>>, Db>(true)

// What a step asks for: its answers, its errors, and what of them is an error of the workflow.
const Ask = defineEvent("Ask", { text: Schema.String })
const Yes = defineEvent("Yes", { by: Schema.String })
const No = defineEvent("No", { why: Schema.String })
const askingAsync = defineStep({
  accepts: Topic,
  emits: [Ask, Stop],
  asks: [Yes, No],
  run: async ({ topic }, { ask }) => {
    const yes = await ask(Ask({ text: topic }), Yes, ({ by }) => by === topic)
    same<typeof yes, ReturnType<typeof Yes>>(true)
    const either = await ask(Ask({ text: topic }), [Yes, No])
    const both = await Promise.all([ask(Ask({ text: topic }), Yes), ask(Ask({ text: topic }), No)])
    return Stop({ result: (either._tag === "Yes" ? either.by : either.why) + both[1].why })
  }
})
same<ErrorOf6<typeof askingAsync>, StepRejected | NoAnswer>(true)
const askingEffect = defineStep({
  accepts: Topic,
  emits: [Ask, Stop],
  asks: Yes,
  run: ({ topic }, { ask }) =>
    Effect.gen(function* () {
      const { by } = yield* ask(Ask({ text: topic }), Yes).pipe(Effect.retry({ times: 1 }))
      return Stop({ result: by })
    })
})
same<ErrorOf6<typeof askingEffect>, NoAnswer>(true)
const askingRecovered = defineStep({
  accepts: Topic,
  emits: [Ask, Stop],
  asks: Yes,
  timeout: "1 minute",
  run: async ({ topic }, { ask }) => Stop({ result: (await ask(Ask({ text: topic }), Yes)).by }),
  recover: (error) => {
    same<typeof error, StepRejected | NoAnswer | StepTimedOut>(true)
    return Stop({ result: error._tag })
  }
})
same<ErrorOf6<typeof askingRecovered>, never>(true)
type ErrorOf6<S> = S extends Step<any, any, infer E, any, any, any> ? E : never
export const askedFlow = workflow({
  name: "asked",
  start: Topic,
  stop: Stop,
  inputs: [Yes, No],
  outputs: [Ask],
  steps: { askingAsync, askingEffect, askingRecovered }
})
same<WorkflowError<typeof askedFlow>, StepRejected | NoAnswer | WorkflowStalled>(true)

// What goes out at once.
const Token = defineEvent("Token", { text: Schema.String })
export const streamingFlow = workflow({
  name: "streaming",
  start: Topic,
  stop: Stop,
  outputs: [Token],
  steps: {
    one: defineStep({ accepts: Topic, emits: [Token, Stop], stream: Token, run: () => Stop({ result: "" }) }),
    list: defineStep({ accepts: Topic, emits: [Token, Stop], stream: [Token], run: async () => Token({ text: "" }) })
  }
})
same<WorkflowError<typeof streamingFlow>, StepRejected | WorkflowStalled>(true)

// A limit's key is asked of what the step is given; a limit adds neither errors nor services.
const byQuery = defineLimit("by query", { concurrent: 2, by: (event: { readonly query: string }) => event.query })
const whole = defineLimit("whole", { times: 60, per: "1 minute", by: (event) => event.anything })
same<typeof byQuery, Limit<{ readonly query: string }>>(true)
const limitedStep = defineStep({
  accepts: Query,
  emits: Answer,
  limit: [byQuery, whole],
  run: ({ query }) => Answer({ result: query })
})
same<typeof limitedStep, Step<"Query", "Answer", never, never>>(true)
export const limitedFlow = asStep(talkative, { limit: byQuery })
export const ofSeveral = defineStep({
  accepts: gather(Query),
  emits: Answer,
  limit: defineLimit("batch", { concurrent: 1, by: (all: ReadonlyArray<{ readonly query: string }>) => all.length }),
  run: () => Answer({ result: "" })
})
const streamed = asStep(talkative, { outputs: [Other, Topic], stream: Other, retry: { times: 1 } })
same<
  typeof streamed,
  Step<"Query", "Answer" | "Other" | "Topic", "DbDown" | StepRejected | WorkflowStalled, Db, never, never, "Other">
>(true)

// With a retry or a recovery, what a plain function throws is its rejection.
const retriedPlain = defineStep({
  accepts: Topic,
  emits: Stop,
  run: () => Stop({ result: "" }),
  retry: {
    times: 3,
    delay: "200 millis",
    factor: 2,
    max: "5 seconds",
    jitter: true,
    while: (error) => {
      same<typeof error, StepRejected>(true)
      return error.reason !== "forbidden"
    }
  }
})
same<ErrorOf6<typeof retriedPlain>, StepRejected>(true)
const retriedGenerator = defineStep({
  accepts: Topic,
  emits: Stop,
  retry: { times: 1 },
  timeout: "1 second",
  run: function* ({ topic }) {
    yield Stop({ result: topic })
  }
})
same<ErrorOf6<typeof retriedGenerator>, StepRejected | StepTimedOut>(true)
const recoveredPlain = defineStep({
  accepts: Topic,
  emits: Stop,
  run: ({ topic }) => Stop({ result: topic }),
  recover: (error) => Stop({ result: error.reason })
})
same<ErrorOf6<typeof recoveredPlain>, never>(true)
const unguarded = defineStep({ accepts: Topic, emits: Stop, run: ({ topic }) => Stop({ result: topic }) })
same<ErrorOf6<typeof unguarded>, never>(true)
const retriedEffect = defineStep({
  accepts: Topic,
  emits: Stop,
  retry: { times: 1, delay: 100 },
  run: () => Effect.fail("DbDown" as const)
})
same<ErrorOf6<typeof retriedEffect>, "DbDown">(true)

// Where an inline `while`, `until` or `recover` stands, and whether `run` has parameters, changes no error and no service.
class Broken extends Schema.TaggedError<Broken>()("Broken", {}) {}
const brokenOrDb = Effect.fn(function* () {
  yield* Db
  return yield* new Broken()
})
const whileAfter = defineStep({
  accepts: Query,
  emits: Answer,
  run: ({ query }) => (query === "" ? brokenOrDb() : Effect.succeed(Answer({ result: query }))),
  retry: {
    while: (error) => {
      same<typeof error, Broken>(true)
      return Effect.as(Flags, true)
    }
  }
})
same<ErrorOf6<typeof whileAfter>, Broken>(true)
same<ServicesOf<typeof whileAfter>, Db | Flags>(true)
const whileBefore = defineStep({
  accepts: Query,
  emits: Answer,
  retry: { while: (_error) => Effect.as(Flags, true) },
  run: ({ query }) => (query === "" ? brokenOrDb() : Effect.succeed(Answer({ result: query })))
})
same<ErrorOf6<typeof whileBefore>, Broken>(true)
same<ServicesOf<typeof whileBefore>, Db | Flags>(true)
const recoverAfterFn = defineStep({
  accepts: Query,
  emits: Answer,
  run: Effect.fn(function* ({ query }) {
    return query === "" ? yield* brokenOrDb() : Answer({ result: query })
  }),
  recover: (_error, { query }) => Effect.as(Flags, Answer({ result: query }))
})
same<ErrorOf6<typeof recoverAfterFn>, never>(true)
same<ServicesOf<typeof recoverAfterFn>, Db | Flags>(true)
const recoverBefore = defineStep({
  accepts: Query,
  emits: Answer,
  recover: (_error, { query }) => Answer({ result: query }),
  run: ({ query }) => (query === "" ? brokenOrDb() : Effect.succeed(Answer({ result: query })))
})
same<ErrorOf6<typeof recoverBefore>, never>(true)
same<ServicesOf<typeof recoverBefore>, Db>(true)
const free = defineStep({
  accepts: Query,
  emits: Stop,
  run: Effect.fn(function* ({ query }) {
    return query === "" ? yield* new Broken() : Stop({ result: query })
  }),
  recover: (_error, { query }) => Stop({ result: query })
})
runPromise(workflow({ name: "free", start: Query, stop: Stop, steps: { free } }), { query: "x" })

// An `Effect.fn` gets its parameters from the step, whatever options the step has.
defineStep({
  accepts: Query,
  emits: Stop,
  run: Effect.fn(function* (input, ctx) {
    same<typeof input, ReturnType<typeof Query>>(true)
    same<typeof ctx.attempt, number>(true)
    return Stop({ result: input.query })
  })
})
defineStep({
  accepts: Query,
  emits: Stop,
  asks: Topic,
  retry: { times: 1 },
  run: Effect.fn(function* (input, ctx) {
    same<typeof input, ReturnType<typeof Query>>(true)
    const { topic } = yield* ctx.ask(Stop({ result: "" }), Topic, (answer) => answer.topic !== "")
    same<typeof topic, string>(true)
    return Stop({ result: topic })
  })
})

// A condition that calls a method of the error, written before a `run` that uses its input: the errors and services stay known.
const condition = defineStep({
  accepts: Topic,
  emits: Stop,
  retry: { times: 1, while: (error) => error._tag === "StepRejected" && error.reason.includes("429") },
  run: async ({ topic }, { signal }) => Stop({ result: `${topic} ${signal.aborted}` })
})
same<ErrorOf<typeof condition>, StepRejected>(true)
same<ServicesOf<typeof condition>, never>(true)
