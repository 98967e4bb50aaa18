/**
 * `stepgraph runs`: looks at durable runs and talks to them while other processes perform them.
 */
import { textOptions, timeline, toHtml, toSvg, toText } from "@stepgraph/viz"
import * as Console from "effect/Console"
import { Command, Flag } from "effect/cli"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { asked, openRuns } from "./durable.ts"
import { Misuse } from "./errors.ts"
import { destination, write } from "./files.ts"
import { calls, journalText, recordText, waits } from "./record-text.ts"
import { close, forget, interrupt, resume, send } from "./runs-acting.ts"
import { files, found, json, note, place, print, run } from "./runs-options.ts"
import { date, table } from "./table.ts"

const mostRuns = 50

const listing = Command.make(
  "list",
  {
    place,
    state: Flag.Literals("state", ["active", "stuck", "succeeded", "failed", "interrupted"]).pipe(
      Flag.withDescription("Only runs in this state"),
      Flag.optional
    ),
    workflow: Flag.String("workflow").pipe(
      Flag.withAlias("w"),
      Flag.withDescription("Only runs of the workflow with this name"),
      Flag.optional
    ),
    limit: Flag.Int("limit").pipe(
      Flag.withAlias("n"),
      Flag.withDescription(`How many runs to list. Default: ${mostRuns}`),
      Flag.withDefault(mostRuns)
    ),
    json
  },
  Effect.fnUntraced(function* ({ place, state, workflow, limit, json }) {
    if (limit < 1) return yield* new Misuse({ message: `--limit takes a number of at least 1, not ${limit}.` })
    const runs = yield* openRuns({ place, files: [] })
    const all = yield* asked(() =>
      runs.list({
        limit: limit + 1,
        state: Option.getOrUndefined(state),
        workflow: Option.getOrUndefined(workflow)
      })
    )
    const shown = all.slice(0, limit)
    yield* print(
      json,
      () => shown,
      () =>
        shown.length === 0
          ? "No runs."
          : table([
              ["RUN", "WORKFLOW", "VERSION", "STATE", "STARTED", "ENDED"],
              ...shown.map(({ createdAt, endedAt, id, state, version, workflow }) => {
                return [id, workflow, version, state, date(createdAt), endedAt === undefined ? "" : date(endedAt)]
              })
            ])
    )
    if (all.length > limit)
      yield* note(`There are more: list them with --limit, or choose with --state and --workflow.`)
  }, Effect.scoped)
).pipe(Command.withDescription("List runs, the newest first. This is what `stepgraph runs RUNS` does"))

const show = Command.make(
  "show",
  { place, run, files, json },
  Effect.fnUntraced(function* (given) {
    const { record, stored, with: flow } = yield* found(given)
    const problem = yield* asked(() => stored.problem())
    const status = flow && problem === undefined ? yield* asked(() => flow.handle.status()) : undefined
    const { journal, ...rest } = record
    yield* print(
      given.json,
      () => ({ ...rest, calls: calls(record), waits: waits(record, status, problem), status }),
      () => recordText(record, status, problem)
    )
    if (flow === undefined && record.state === "active" && !given.json) {
      yield* note("\nWith --flow FILE, this says which steps are running, and what the others wait for.")
    }
  }, Effect.scoped)
).pipe(
  Command.withDescription("Show one run: its state, what it waits for, its messages and its result"),
  Command.withExamples([{ command: "stepgraph runs runs.db show order-17 --flow orders.ts", description: "In words" }])
)

const pictures = { ".html": "a page", ".svg": "a picture", ".txt": "text", ".json": "the trace itself" } as const

const draw = Command.make(
  "draw",
  {
    place,
    run,
    files,
    output: Flag.String("output").pipe(
      Flag.withAlias("o"),
      Flag.withDescription("Output file, ending in .html, .svg, .txt or .json. Default: the terminal"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ output, ...given }) {
    const to = Option.isSome(output) ? yield* destination(output.value, pictures) : undefined
    const { record, with: flow } = yield* found(given)
    if (flow === undefined) {
      if (to !== undefined && to.kind !== ".txt") {
        return yield* new Misuse({
          message: `${pictures[to.kind]} needs the workflow of the run: add --flow FILE.`.replace(/^./, (first) =>
            first.toUpperCase()
          )
        })
      }
      yield* to === undefined ? Console.log(journalText(record)) : write(to.file, `${journalText(record)}\n`)
      return yield* note("\nWith --flow FILE, this is a timeline: when each step began, worked and waited.")
    }
    const trace = yield* asked(() => flow.handle.trace())
    const drawn = () => timeline(trace, { workflow: flow.flow })
    if (to === undefined) return yield* Console.log(toText(drawn(), textOptions(process.stdout)))
    const text = {
      ".html": () => toHtml(drawn()),
      ".svg": () => toSvg(drawn()),
      ".txt": () => `${toText(drawn())}\n`,
      ".json": () => `[\n${trace.map((entry) => JSON.stringify(entry)).join(",\n")}\n]\n`
    }
    yield* write(to.file, text[to.kind]())
    yield* note(`Drew run '${record.id}' in ${to.file}`)
  }, Effect.scoped)
).pipe(
  Command.withDescription("Draw what has happened to a run"),
  Command.withExamples([
    { command: "stepgraph runs runs.db draw order-17 --flow orders.ts", description: "In the terminal" },
    { command: "stepgraph runs runs.db draw order-17 --flow orders.ts -o run.html", description: "As a page" }
  ])
)

const actions = [listing, show, draw, send, close, interrupt, resume, forget] as const

export const runs = Command.make("runs").pipe(
  Command.withDescription("List durable runs, look at them, talk to them, while other processes perform them"),
  Command.withExamples([
    { command: "stepgraph runs runs.db", description: "List the runs of a file" },
    { command: "stepgraph runs postgres://localhost/shop --state failed", description: "List those of a database" },
    { command: "stepgraph runs runs.db show order-17", description: "Show one" }
  ]),
  Command.withSubcommands(actions)
)

const names = new Set<string>(actions.map(({ name }) => name))

/** People name the runs first, and then what to do with them: `runs runs.db show order-17`. Subcommands come first. */
export const withActionFirst = (args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const [runs, place, action, ...more] = args
  if (runs !== "runs" || place === undefined || place.startsWith("-") || names.has(place)) return args
  if (action === undefined || action.startsWith("-")) return [runs, "list", ...args.slice(1)]
  return [runs, action, place, ...more]
}
