// One process of the test of poisonous runs: one of its runs ends the process, each time; the others are quick or long.
import { Effect, Schema } from "effect"
import { defineEvent, defineStep, workflow } from "stepgraph"
import { durable, openDurable } from "../../src/index.ts"

const Go = defineEvent("Go", { kind: Schema.Literals(["quick", "long", "poison"]) })
const End = defineEvent("End", { kind: Schema.String })
export const work = durable(
  workflow({
    name: "work",
    start: Go,
    stop: End,
    steps: {
      work: defineStep({
        accepts: Go,
        emits: End,
        run: ({ kind }) =>
          Effect.gen(function* () {
            yield* Effect.sleep({ quick: 10, long: 1200, poison: 100 }[kind])
            if (kind === "poison") process.kill(process.pid, "SIGKILL")
            return End({ kind })
          })
      })
    }
  })
)
export const kinds = (["poison", ...Array(14).fill("quick"), ...Array(6).fill("long")] as const).map((kind, n) => ({
  id: `${kind} ${n}`,
  kind
}))

if (import.meta.main) {
  await using runs = await openDurable({ sqlite: process.argv[2]!, crashes: 3 }, [work])
  const all = await Promise.all(kinds.map(({ id, kind }) => runs.start(work, id, { kind })))
  await Promise.allSettled(all.map(({ result }) => result))
}
