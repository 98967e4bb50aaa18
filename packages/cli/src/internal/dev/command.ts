/**
 * `stepgraph dev` and `stepgraph open`: workflows, and kept traces, on a page.
 */
import * as Console from "effect/Console"
import { Argument, Command, Flag } from "effect/cli"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import type { TraceEntry } from "stepgraph"
import { nameOf } from "../durable.ts"
import type { Failed, Misuse } from "../errors.ts"
import { readKept } from "../files.ts"
import { list } from "../load.ts"
import { durableHome } from "./durable-home.ts"
import { exploreOf } from "./exploring.ts"
import { Flows } from "./flows.ts"
import { type Address, type Served, served } from "./serving.ts"
import { Watching } from "./watching.ts"

const address = {
  port: Flag.Int("port").pipe(
    Flag.withAlias("p"),
    Flag.withDescription("The port. Default: 4270, or the next free one"),
    Flag.optional
  ),
  host: Flag.String("host").pipe(
    Flag.withDescription("The address to listen on, such as 0.0.0.0. Default: only this machine"),
    Flag.optional
  ),
  token: Flag.String("token").pipe(
    Flag.withDescription("The secret that every request must have. Default: a new one"),
    Flag.optional
  )
}

const addressOf = (given: { readonly [K in keyof Address]: Option.Option<NonNullable<Address[K]>> }): Address => ({
  port: Option.getOrUndefined(given.port),
  host: Option.getOrUndefined(given.host),
  token: Option.getOrUndefined(given.token)
})

/** The URL goes to stdout, all else to stderr. */
const said = ({ instead, port, url }: Served, what: string) =>
  Effect.gen(function* () {
    yield* Console.error(what)
    if (instead !== undefined) yield* Console.error(`Port ${instead} is taken: this is ${port}.`)
    yield* Console.log(url)
    yield* Console.error("Press Ctrl-C to stop.")
  })

const names = (flows: Flows): string => {
  const all = flows.flows.map(({ name }) => name)
  return `${all.length === 1 ? "workflow" : `${all.length} workflows,`} ${list(all)}`
}

/** The workflows of files, and an Effect that loads them again whenever one is saved. */
const watched = (files: ReadonlyArray<string>, place: string | undefined) =>
  Effect.gen(function* () {
    const changes = yield* Queue.unbounded<void>()
    const watching = yield* Effect.acquireRelease(
      Effect.sync(() => new Watching(() => Queue.offerUnsafe(changes, undefined))),
      (watching) => Effect.sync(() => watching.close())
    )
    const flows = new Flows(files, place !== undefined, (path) => watching.add(path))
    yield* flows.load
    const home = place === undefined ? undefined : yield* durableHome({ place, files }, () => flows.durables)
    const reload = Effect.matchEffect(Effect.andThen(flows.load, home?.reopen ?? Effect.void), {
      onSuccess: () => Console.error(`Reloaded ${names(flows)}.`),
      onFailure: ({ message }: Misuse | Failed) =>
        Console.error(`${message}\nUntil this is fixed, the workflows stay as they were.`)
    })
    return { flows, runs: home?.runs, reloading: Effect.forever(Effect.andThen(Queue.takeAll(changes), reload)) }
  })

export const dev = Command.make(
  "dev",
  {
    files: Argument.String("file").pipe(
      Argument.withDescription("TypeScript or JavaScript files that export workflows"),
      Argument.atLeast(1)
    ),
    durable: Flag.String("durable").pipe(
      Flag.withAlias("d"),
      Flag.withDescription(
        "Where durable runs are: a SQLite file, or the URL of a Postgres database. Default: in memory, until you stop"
      ),
      Flag.optional
    ),
    ...address
  },
  Effect.fnUntraced(function* ({ durable, files, ...given }) {
    const place = Option.getOrUndefined(durable)
    const { flows, reloading, runs } = yield* watched(files, place)
    const options = {
      workflows: () => flows.flows,
      runs,
      explore: exploreOf(files),
      logs: true,
      status: () => ({ revision: flows.revision, problems: flows.problems })
    }
    const where = place === undefined ? "" : `, with the runs of ${nameOf(place)}`
    const what = `Serving ${names(flows)}${where}. Reloads when a file is saved.`
    yield* said(yield* served(options, addressOf(given)), what)
    yield* reloading
  }, Effect.scoped)
).pipe(
  Command.withDescription("Start and watch runs on a page, while you write their workflows"),
  Command.withExamples([
    { command: "stepgraph dev flow.ts", description: "Serve the workflows of a file on http://localhost:4270" },
    { command: "stepgraph dev orders.ts --durable runs.db", description: "With runs that survive a restart" }
  ])
)

const summary = (file: string, entries: ReadonlyArray<TraceEntry>): string => {
  const runs = new Set(entries.map(({ run }) => run)).size
  return `Serving ${runs === 1 ? "the run" : `${runs} runs`} of ${file}.`
}

/** The run that all others of a trace were started by, if there is one. */
const onlyRoot = (entries: ReadonlyArray<TraceEntry>): string | undefined => {
  const nested = new Set(entries.flatMap((entry) => (entry._tag === "RunStarted" && entry.parent ? [entry.run] : [])))
  const roots = new Set(entries.map(({ run }) => run).filter((run) => !nested.has(run)))
  return roots.size === 1 ? [...roots][0] : undefined
}

export const open = Command.make(
  "open",
  {
    file: Argument.String("trace").pipe(
      Argument.withDescription("A trace written by `run --timeline FILE.json`, or downloaded from the page")
    ),
    ...address
  },
  Effect.fnUntraced(function* ({ file, ...given }) {
    const { entries, unknown } = yield* readKept(file)
    if (unknown.length > 0) {
      yield* Console.error(
        `${file} is from another version of stepgraph: entries of the kind ${list(unknown)} are left out. Update with: npm install stepgraph@latest`
      )
    }
    // It takes time to load, and only these commands need it.
    const { keptRuns } = yield* Effect.promise(() => import("@stepgraph/server"))
    const options = { workflows: [], runs: keptRuns(entries) }
    yield* said(yield* served(options, addressOf(given), onlyRoot(entries)), summary(file, entries))
    yield* Effect.never
  }, Effect.scoped)
).pipe(
  Command.withDescription("Show a saved trace on a page"),
  Command.withExamples([{ command: "stepgraph open run.json", description: "Show a run that has ended" }])
)
