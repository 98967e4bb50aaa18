// How the runs of an exploration ended, in the model's words.
import type { Exploration } from "@stepgraph/testing"
import { Exit } from "effect"
import type { Outcome } from "./model.ts"
import { outcomeOf } from "./world.ts"

/** If the contract leaves a gather's order open, the runtime chooses it. */
export const nameOf = (outcome: Outcome | ReturnType<typeof outcomeOf>): string =>
  JSON.stringify(outcome._tag === "Failed" ? { ...outcome, input: [...outcome.input].sort() } : outcome)

export const endingsOf = ({ outcomes }: Exploration): ReadonlySet<string> =>
  new Set(
    outcomes.map(({ outcome: { state, result, error } }) =>
      nameOf(outcomeOf(state === "stopped" ? Exit.succeed(result) : Exit.fail(error)))
    )
  )
