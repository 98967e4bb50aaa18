// The baseline for stepgraph's size: a program with only `effect/Effect` and `effect/Schema`.
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const Query = Schema.Struct({ _tag: Schema.tag("Query"), query: Schema.String })
const search = (query: string) => Effect.sync(() => Query.make({ query }))
const program = Effect.map(Effect.forEach(["a", "b", "c"], search, { concurrency: 4 }), (answers) =>
  answers.map(({ query }) => query).join(", ")
)

console.log(await Effect.runPromise(program))
