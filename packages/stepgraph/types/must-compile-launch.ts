// The live form, to be compiled with the rest as soon as there is `launch`.
import { Effect } from "effect"
import { launch } from "stepgraph"
import { Approval, outer } from "./must-compile.ts"

export const program = Effect.gen(function* () {
  const live = yield* launch(outer, { topic: "birds" })
  yield* live.send(Approval({ ok: true }))
  return (yield* live.result).result
}).pipe(Effect.scoped)
