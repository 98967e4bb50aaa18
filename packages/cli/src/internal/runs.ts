/**
 * `stepgraph runs`: looks at durable runs and talks to them while other processes perform them.
 */
import { textOptions, timeline, toHtml, toSvg, toText } from "@stepgraph/viz"
import * as Console from "effect/Console"
import { Argument, Command, Flag } from "effect/cli"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Scope } from "effect/Scope"
import { nearest } from "stepgraph/internal"
import { asked, type Known, openRuns, type Place, recordOf, withFlow } from "./durable.ts"
import { type Failed, Misuse } from "./errors.ts"
import { destination, write } from "./files.ts"
import { eventOf, fieldsOf } from "./input.ts"
import { list } from "./load.ts"
import { calls, journalText, recordText, waits } from "./record-text.ts"
import { schemasOf } from "./schemas.ts"
import { date, table } from "./table.ts"

const place = Argument.String("runs").pipe(
  Argument.withDescription("Where the runs are: a SQLite file, or the URL of a Postgres database")
)
const run = Argument.String("run").pipe(Argument.withDescription("The id of the run"))
const files = Flag.String("flow").pipe(
  Flag.withAlias("f"),
  Flag.withDescription("A file that exports the run's workflow. This imports it, so its top-level code runs"),
  Flag.atLeast(0)
)
const json = Flag.Boolean("json").pipe(Flag.withDescription("Print JSON, for scripts"), Flag.withDefault(false))

const print = (asJson: boolean, data: () => unknown, text: () => string) =>
  Console.log(asJson ? JSON.stringify(data(), null, 2) : text())

/** On stderr, so that it is in nobody's way. */
const note = (text: string) => Console.error(text)

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
    const found = yield* asked(() =>
      runs.list({
        limit: limit + 1,
        state: Option.getOrUndefined(state),
        workflow: Option.getOrUndefined(workflow)
      })
    )
    const shown = found.slice(0, limit)
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
    if (found.length > limit)
      yield* note(`There are more: list them with --limit, or choose with --state and --workflow.`)
  }, Effect.scoped)
).pipe(Command.withDescription("List runs, the newest first. This is what `stepgraph runs RUNS` does"))

/** Opens a place and finds a run in it, with its workflow if a file was named. */
const found = ({ files, place, run }: Place & { readonly run: string }) =>
  Effect.gen(function* () {
    const runs = yield* openRuns({ place, files })
    const known = yield* recordOf(runs, run, place)
    return { ...known, with: yield* withFlow({ place, files }, known.record) }
  })

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
      yield* note("\nWith --flow FILE, this says which steps are at work, and what the others wait for.")
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

/** Said of a run that takes nothing more. */
const over = ({ id, state }: Known["record"]) =>
  new Misuse({ message: `Run '${id}' has ended (${state}): it takes nothing more.` })

const send = Command.make(
  "send",
  {
    place,
    run,
    event: Argument.String("event").pipe(Argument.withDescription("The name of an input of the workflow")),
    fields: Argument.String("fields").pipe(
      Argument.withDescription("The event's fields as JSON, or @ and the name of a JSON file"),
      Argument.withDefault("{}")
    ),
    key: Flag.String("key").pipe(
      Flag.withAlias("k"),
      Flag.withDescription("Two events with the same key count once. Default: a new key"),
      Flag.optional
    ),
    files,
    json
  },
  Effect.fnUntraced(function* ({ event, fields, key, ...given }) {
    const { record, stored, with: flow } = yield* found(given)
    const words = { what: `The event`, write: `'{ … }'` }
    const known = Option.isSome(key) && record.messages.some((message) => message.key === key.value)
    if (record.endedAt !== undefined && !known) return yield* over(record)
    const options = { key: Option.getOrElse(key, () => crypto.randomUUID() as string) }
    if (flow === undefined) {
      const json = { _tag: event, ...(yield* fieldsOf(event, fields, words)) }
      if (!(yield* asked(() => stored.send(json as never, options)))) return yield* over(record)
    } else {
      const def = flow.flow.inputs.find(({ tag }: { readonly tag: string }) => tag === event)
      if (def === undefined) return yield* notAnInput(flow.flow, event)
      const made = yield* eventOf(def, fields, yield* schemasOf(flow.file, flow.flow), words)
      yield* asked(() => flow.handle.send(made, options))
    }
    yield* print(
      given.json,
      () => ({ run: record.id, event, key: options.key, again: known }),
      () =>
        known
          ? `Run '${record.id}' had been sent an event with the key '${options.key}' before: it counts once.`
          : `Sent ${event} to run '${record.id}'.`
    )
    if (flow === undefined && !known && !given.json) {
      yield* note(
        `It was sent as it is, and is ignored if the workflow does not accept it: --flow FILE checks that first.`
      )
    }
  }, Effect.scoped)
).pipe(
  Command.withDescription("Send an event to a run, such as an answer"),
  Command.withExamples([
    { command: `stepgraph runs runs.db send order-17 Approval '{"by":"Ada"}' --flow orders.ts`, description: "Once" },
    {
      command: `stepgraph runs runs.db send order-17 Approval '{"by":"Ada"}' --key click-3`,
      description: "Twice is once"
    }
  ])
)

const notAnInput = (
  { inputs, name }: { readonly name: string; readonly inputs: ReadonlyArray<any> },
  event: string
) => {
  const tags: ReadonlyArray<string> = inputs.map(({ tag }) => tag)
  const near = nearest(event, tags)
  const has = tags.length === 0 ? "it has none" : `its inputs are ${list(tags)}`
  const meant = near === undefined ? "" : ` Did you mean '${near}'?`
  return new Misuse({ message: `Workflow '${name}' has no input '${event}': ${has}.${meant}` })
}

/** A command that does one thing to a run. */
const acting = (
  name: string,
  description: string,
  act: (
    known: Known
  ) => Effect.Effect<{ readonly done: string; readonly [more: string]: unknown }, Misuse | Failed, Scope>
) =>
  Command.make(
    name,
    { place, run, json },
    Effect.fnUntraced(function* ({ json, place, run }) {
      const runs = yield* openRuns({ place, files: [] })
      const known = yield* recordOf(runs, run, place)
      const { done, ...more } = yield* act(known)
      yield* print(
        json,
        () => ({ run, ...more }),
        () => done
      )
    }, Effect.scoped)
  ).pipe(Command.withDescription(description))

const close = acting("close", "Close the inputs of a run: no more events will come", ({ record, stored }) =>
  Effect.gen(function* () {
    if (!(yield* asked(() => stored.closeInputs()))) return yield* over(record)
    return { done: `Closed the inputs of run '${record.id}'.`, closed: true }
  })
)

/** A process that is awake takes much less. */
const patience = "2 seconds"

const interrupt = acting("interrupt", "Interrupt a run for good: its steps clean up first", ({ record, stored }) =>
  Effect.gen(function* () {
    const { id, version, workflow } = record
    if (record.endedAt !== undefined || !(yield* asked(() => stored.interrupt()))) return yield* over(record)
    const ended: Effect.Effect<string, Misuse> = Effect.flatMap(
      asked(() => stored.record()),
      ({ endedAt, state }) => (endedAt === undefined ? Effect.delay(ended, "50 millis") : Effect.succeed(state))
    )
    const state = yield* Effect.timeoutOption(ended, patience)
    if (Option.isSome(state)) return { done: `Run '${id}' has ended: ${state.value}.`, state: state.value }
    const done = `Asked run '${id}' to end. It does once a process that has workflow '${workflow}', version ${version}, is awake.`
    return { done, state: record.state }
  })
)

const resume = acting("resume", "Let a stuck run go on, once its cause is mended", ({ record, stored }) =>
  Effect.gen(function* () {
    const { id, state, version, workflow } = record
    if (!(yield* asked(() => stored.resume()))) {
      return yield* new Misuse({ message: `Run '${id}' is not stuck (${state}): there is nothing to resume.` })
    }
    const done = `Run '${id}' goes on once a process that has workflow '${workflow}', version ${version}, is awake.`
    return { done, resumed: true }
  })
)

const forget = acting("forget", "Delete a run that has ended, with its journal", ({ record, stored }) =>
  Effect.gen(function* () {
    const { id, state } = record
    if (!(yield* asked(() => stored.forget()))) {
      return yield* new Misuse({ message: `Run '${id}' has not ended (${state}): interrupt it first.` })
    }
    return { done: `Forgot run '${id}'.`, forgotten: true }
  })
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
