// What a program costs that has nothing but `effect/Effect` and `effect/Schema`: the mark that stepgraph is measured against.
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const Query = Schema.Struct({ _tag: Schema.tag("Query"), query: Schema.String })
const search = (query: string) => Effect.sync(() => Query.make({ query }))
const program = Effect.map(Effect.forEach(["a", "b", "c"], search, { concurrency: 4 }), (answers) =>
  answers.map(({ query }) => query).join(", ")
)

console.log(await Effect.runPromise(program))
