/**
 * What the subcommands of `stepgraph runs` have in common: their arguments, and how they find a run and print.
 */
import * as Console from "effect/Console"
import { Argument, Flag } from "effect/cli"
import * as Effect from "effect/Effect"
import { openRuns, type Place, recordOf, withFlow } from "./durable.ts"
import { withoutSecrets } from "./secrets.ts"

export const place = Argument.String("runs").pipe(
  Argument.withDescription("Where the runs are: a SQLite file, or the URL of a Postgres database")
)
export const run = Argument.String("run").pipe(Argument.withDescription("The id of the run"))
export const files = Flag.String("flow").pipe(
  Flag.withAlias("f"),
  Flag.withDescription("A file that exports the run's workflow. This imports it, so its top-level code runs"),
  Flag.atLeast(0)
)
export const json = Flag.Boolean("json").pipe(Flag.withDescription("Print JSON, for scripts"), Flag.withDefault(false))

export const print = (asJson: boolean, data: () => unknown, text: () => string) =>
  Console.log(asJson ? JSON.stringify(data(), null, 2) : text())

/** On stderr, so that it is in nobody's way. */
export const note = (text: string) => Console.error(text)

/** Opens a place and finds a run in it, with its workflow if a file was named. */
export const found = ({ files, place, run }: Place & { readonly run: string }) =>
  Effect.gen(function* () {
    const runs = yield* openRuns({ place, files })
    const known = yield* recordOf(runs, run, place)
    const flow = yield* withFlow({ place, files }, known.record)
    return { stored: known.stored, record: flow ? withoutSecrets(known.record, flow.flow) : known.record, with: flow }
  })
