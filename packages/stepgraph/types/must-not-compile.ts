// Each line that ends in a mark fails to compile, and the mark's words are in the compiler's message; no other line does.
// Not formatted: a statement and its mark stay on one line.
import { type } from "arktype"
import { Context, Effect, type Schedule, Schema, SchemaGetter, Stream } from "effect"
import { around, asStep, collect, defineEvent, defineLimit, defineState, defineStep, launch, launchPromise, run, runPromise, workflow } from "stepgraph"
import * as v from "valibot"
import { z } from "zod"

const Start = defineEvent("Start")
const Query = defineEvent("Query", { query: Schema.String })
const Answer = defineEvent("Answer", { result: Schema.String })
const Stop = defineEvent("Stop", { result: Schema.String })
const start = defineStep({ accepts: Start, emits: Query, run: () => [Query({ query: "x" })] })
const search = defineStep({ accepts: Query, emits: Answer, run: (q) => Answer({ result: q.query }) })
const finish = defineStep({ accepts: collect(Answer, 3), emits: Stop, run: () => Stop({ result: "" }) })

Query({ query: 3 }) // «error» Type 'number' is not assignable to type 'string'
defineStep({ accepts: Start, emits: Query, run: () => Answer({ result: "x" }) }) // «error» "Answer"' is not assignable to type '"Query"
defineStep({ accepts: Start, emits: Query, run: () => Effect.succeed(Answer({ result: "x" })) }) // «error» "Answer"' is not assignable to type '"Query"
defineStep({ accepts: Start, emits: Query, run: (_, ctx) => ctx.send(Answer({ result: "x" })) }) // «error» "Answer"' is not assignable to type '"Query"
defineStep({ accepts: Start, emits: Query, run: (_, ctx) => { ctx.collect([Answer]) } }) // «error» this step does not accept 'Answer'
workflow({ name: "w", start: Start, stop: Stop, steps: { start, finish } }) // «error» step 'start' emits 'Query', but no step accepts it
workflow({ name: "w", start: Start, stop: Stop, steps: { start, finish, lost: defineStep({ accepts: Query, emits: [], run: () => {} }) } }) // «error» step 'finish' accepts 'Answer', but no step emits it
workflow({ name: "w", start: Start, stop: Stop, steps: { start, search, sink: defineStep({ accepts: Answer, emits: [], run: () => {} }) } }) // «error» no step emits the stop event 'Stop'
workflow({ name: "w", start: Start, stop: Stop, steps: { search, finish } }) // «error» no step accepts the start event 'Start'
const flow = workflow({ name: "w", start: Query, stop: Stop, steps: { search, finish } })
run(flow, { qury: "x" }) // «error» 'qury' does not exist
run(flow) // «error» Expected 2-3 arguments
Effect.gen(function*() { const live = yield* launch(flow, { query: "x" }); yield* live.send(Answer({ result: "x" })) }) // «error» not assignable to parameter of type 'never'
workflow({ ...flow, steps: { ...flow.steps, search: start } }) // «error» no step accepts the start event 'Query'
const needs = workflow({ name: "w", start: Query, stop: Stop, steps: { finish, search: defineStep({ accepts: Query, emits: Answer, run: (q) => Effect.as(Effect.scope, Answer({ result: q.query })) }) } })
const talking = workflow({ name: "w", start: Query, stop: Stop, inputs: [Answer], steps: { ...flow.steps } })
const seen = defineState("seen", Schema.Number, 0)
runPromise(needs, { query: "x" }) // «error» this workflow needs services
const bare = workflow({ name: "w", start: Start, stop: Stop, steps: { start, search, finish } })
runPromise(bare, { signal: AbortSignal.abort() }) // «error» Type 'AbortSignal' is not assignable to type 'never'
Effect.gen(function*() { const live = yield* launch(talking, { query: "x" }); yield* live.send(Query({ query: "x" })) }) // «error» "Query"' is not assignable to type '"Answer"
Effect.gen(function*() { const live = yield* launch(talking, { query: "x" }); yield* Stream.runForEach(live.events, (event) => Effect.log(event.query)) }) // «error» Property 'query' does not exist
launchPromise(talking, { query: "x" }).then((live) => live.send({ _tag: "Answer", result: 3 })) // «error» Type 'number' is not assignable to type 'string'
launchPromise(talking, {}) // «error» Property 'query' is missing
launchPromise(needs, { query: "x" }) // «error» this workflow needs services
run(bare, {}, { state: [seen.with("text")] }) // «error» Argument of type 'string' is not assignable to parameter of type 'number'
run(bare, {}, { state: [seen] }) // «error» 'State<number, Number>' is missing the following properties from type 'StateValue'
defineStep({ accepts: Query, emits: Stop, timeout: "5s", run: () => Stop({ result: "" }) }) // «error» Type '"5s"' is not assignable to type 'Input
defineStep({ accepts: Query, emits: Stop, grace: "5s", run: () => Stop({ result: "" }) }) // «error» Type '"5s"' is not assignable to type 'Input
workflow({ name: "w", start: [Start, Query], stop: Stop, steps: { start, search, finish } }) // «error» is missing the following properties from type 'EventDef<any, any, any, any>': tag, schema
workflow({ name: "w", start: Start, stop: Stop, timeout: "5s", steps: { start, search, finish } }) // «error» Type '"5s"' is not assignable to type 'Input
workflow({ name: "w", start: Start, stop: Stop, grace: "5s", steps: { start, search, finish } }) // «error» Type '"5s"' is not assignable to type 'Input
const Job = defineEvent("Job", { id: Schema.String, tries: Schema.Number.pipe(Schema.withConstructorDefault(Effect.succeed(3))) })
Job({ tries: 1 }) // «error» Property 'id' is missing
Job({ id: "x", tries: "many" }) // «error» Type 'string' is not assignable to type 'number'
const history = defineState("history", Schema.Array(Schema.Struct({ role: Schema.Literal("user") })), [])
defineStep({ accepts: Query, emits: [], run: (_, { update }) => { update(history, (all) => [...all, { role: "admin" }]) } }) // «error» Type '"admin"' is not assignable to type '"user"'
defineStep({ accepts: Query, emits: [], run: (_, { update }) => { update(seen, () => "text") } }) // «error» 'string' is not assignable to type 'number'
class Http extends Context.Service<Http, { readonly ping: Effect.Effect<void> }>()("Http") {}
defineStep({ accepts: Query, emits: Answer, retry: {} as Schedule.Schedule<number, Http>, run: async () => Answer({ result: "" }) }) // «error» Type 'StepRejected' is missing the following properties from type 'Http'
defineStep({ accepts: Query, emits: Answer, run: () => Effect.fail("down" as const), retry: { schedule: {} as Schedule.Schedule<number, "up"> } }) // «error» Type '"down"' is not assignable to type '"up"'
defineStep({ accepts: Query, emits: Answer, run: async () => Answer({ result: "" }), retry: { while: (error) => error._tag === "StepTimedOut" } }) // «error» types '"StepRejected"' and '"StepTimedOut"' have no overlap
defineStep({ accepts: Query, emits: Answer, run: async () => Answer({ result: "" }), retry: { while: () => Effect.succeed("yes") } }) // «error» Type 'string' is not assignable to type 'boolean'
const pinged = workflow({ name: "w", start: Query, stop: Stop, steps: { finish, search: defineStep({ accepts: Query, emits: Answer, run: () => Effect.fail("down" as const), retry: { while: () => Effect.as(Http, true) } }) } })
runPromise(pinged, { query: "x" }) // «error» this workflow needs services
Effect.runPromise(run(pinged, { query: "x" })) // «error» Type 'Http' is not assignable to type 'never'
class Prices extends Context.Service<Prices, { readonly of: (item: string) => number }>()("Prices") {}
const Priced = Schema.String.pipe(Schema.decodeTo(Schema.Number, { decode: SchemaGetter.transformEffect((item: string) => Effect.map(Prices, (prices) => prices.of(item))), encode: SchemaGetter.transform(String) }))
defineEvent("Sold", { price: Priced }) // «error» field 'price' of event 'Sold' needs services to be decoded, and an event is made without any: decode it in a step
defineEvent("Sold", Schema.Struct({ price: Priced })) // «error» the schema of event 'Sold' needs services to be decoded
defineState("price", Priced, 0) // «error» cell 'price' needs services to be decoded
defineEvent("Odd", { size: "number" }) // «error» field 'size' of event 'Odd' is not a schema: give one, such as Schema.String
defineEvent("Odd", { name: Schema.String, size: Number }) // «error» field 'size' of event 'Odd' is not a schema
defineEvent("Odd", { _tag: Schema.String }) // «error» event 'Odd' has a field named '_tag'
defineEvent("Odd", Schema.Array(Schema.String)) // «error» event 'Odd' is given a schema that is not a struct
defineEvent("Odd", z.string()) // «error» event 'Odd' is given a schema of something else than an object
defineEvent("Odd", z.array(z.string())) // «error» event 'Odd' is given a schema of something else than an object
defineEvent("Odd", z.object({ _tag: z.string() })) // «error» event 'Odd' has a field named '_tag'
const Zod = defineEvent("Zod", z.object({ query: z.string(), limit: z.number().default(5), at: z.coerce.date() }))
Zod({ limit: 3, at: 0 }) // «error» Property 'query' is missing
Zod({ query: 3, at: 0 }) // «error» Type 'number' is not assignable to type 'string'
const zod = Zod({ query: "x", at: 0 })
export const zodAt: string = zod.at // «error» Type 'Date' is not assignable to type 'string'
const Mixed = defineEvent("Mixed", { n: v.pipe(v.string(), v.transform(Number)), unit: type("'m' | 'km'"), at: Schema.Date })
Mixed({ n: 3, unit: "m", at: new Date() }) // «error» Type 'number' is not assignable to type 'string'
Mixed({ n: "3", unit: "mile", at: new Date() }) // «error» Type '"mile"' is not assignable to type
Mixed({ n: "3", unit: "m" }) // «error» Property 'at' is missing
defineState("count", z.string().transform(Number), 0) // «error» cell 'count' has a schema that changes what it is given
defineState("count", z.number(), "0") // «error» Argument of type 'string' is not assignable to parameter of type 'number | (() => number)'
defineState("count", 0, 0) // «error» Argument of type 'number' is not assignable
asStep(talking, { stream: Stop }) // «error» is missing the following properties from type 'readonly never[]'
asStep(flow, { outputs: [Answer] }) // «error» is not assignable to type 'never'
asStep(flow, { recover: () => Answer({ result: "" }) }) // «error» Type '"Answer"' is not assignable to type '"Stop"'
workflow({ name: "w", start: Start, stop: Stop, steps: { start, whole: asStep(flow), finish } }) // «error» step 'finish' accepts 'Answer', but no step emits it
workflow({ name: "w", start: Start, stop: Query, steps: { start, whole: asStep(flow) } }) // «error» step 'whole' emits 'Stop', but no step accepts it
runPromise(workflow({ name: "w", start: Query, stop: Stop, steps: { whole: asStep(needs) } }), { query: "x" }) // «error» this workflow needs services
around(flow, () => Answer({ result: "" })) // «error» is not assignable to type 'Wrapped'
around(flow, (_, next) => { next() }) // «error» is not assignable to type 'Wrapped'
around(flow, (_, next) => Effect.andThen(Effect.fail("down" as const), next.effect)) // «error» Type 'StepFailure | "down"' is not assignable to type 'StepFailure'
around(flow, ({ step }, next) => step === "start" ? next() : next()) // «error» have no overlap
runPromise(around(flow, (_, next) => Effect.andThen(Http, next.effect)), { query: "x" }) // «error» this workflow needs services
defineStep({ accepts: Query, emits: Answer, run: function* ({ query }) { const text = yield* Effect.succeed(query); yield Answer({ result: text }) } }) // «error» to yield* Effects, write `run: Effect.fn(function* …)`
defineStep({ accepts: Query, emits: Answer, run: function* () { yield* Http; return Answer({ result: "" }) } }) // «error» to yield* Effects, write `run: Effect.fn(function* …)`
defineStep({ accepts: Query, emits: Answer, run: Effect.gen(function* () { yield* Effect.void; return Answer({ result: "" }) }) }) // «error» provides no match for the signature
const Ok = defineEvent("Ok", { by: Schema.String })
defineStep({ accepts: Query, emits: Answer, run: async (q, { ask }) => Answer({ result: (await ask(Answer({ result: q.query }), Ok)).by }) }) // «error» this step does not ask for 'Ok': add it to `asks`
defineStep({ accepts: Query, emits: Answer, asks: [Stop], run: async (q, { ask }) => Answer({ result: (await ask(Answer({ result: q.query }), [Stop, Ok]))._tag }) }) // «error» this step does not ask for 'Ok': add it to `asks`
defineStep({ accepts: Query, emits: Answer, asks: Ok, run: async (q, { ask }) => Answer({ result: (await ask(Stop({ result: q.query }), Ok)).by }) }) // «error» "Stop"' is not assignable to type '"Answer"
defineStep({ accepts: Query, emits: Answer, asks: Ok, run: async (q, { ask }) => Answer({ result: (await ask(Answer({ result: q.query }), Ok, (ok) => ok.to === "x")).by }) }) // «error» Property 'to' does not exist
const asking = defineStep({ accepts: Query, emits: Answer, asks: Ok, run: async (q, { ask }) => Answer({ result: (await ask(Answer({ result: q.query }), Ok)).by }) })
workflow({ name: "w", start: Query, stop: Stop, steps: { asking, finish } }) // «error» step 'asking' asks for 'Ok', but it is not an input event
defineStep({ accepts: Query, emits: Answer, asks: Ok, run: async (q, { ask }) => Answer({ result: (await ask(Answer({ result: q.query }), Ok)).by }), recover: (error) => Answer({ result: error._tag === "StepTimedOut" ? "" : "" }) }) // «error» have no overlap
defineStep({ accepts: Query, emits: Answer, stream: Stop, run: () => Answer({ result: "" }) }) // «error» is not assignable to
const streaming = defineStep({ accepts: Query, emits: [Answer, Ok], stream: Ok, run: () => Answer({ result: "" }) })
workflow({ name: "w", start: Query, stop: Stop, steps: { streaming, finish, log: defineStep({ accepts: Ok, emits: [], run: () => {} }) } }) // «error» step 'streaming' streams 'Ok', but it is not an output event that no step accepts
const byId = defineLimit("by id", { concurrent: 1, by: (event: { readonly id: string }) => event.id })
defineStep({ accepts: Query, emits: Answer, limit: byId, run: () => Answer({ result: "" }) }) // «error» Property 'id' is missing
defineStep({ accepts: Query, emits: Answer, limit: { name: "x" }, run: () => Answer({ result: "" }) }) // «error» Type '{ name: string; }' is not assignable to type 'Limit<
defineLimit("x", { concurrent: "many" }) // «error» Type 'string' is not assignable to type 'number'
defineLimit("x", { times: 3, per: "5s" }) // «error» Type '"5s"' is not assignable to type
