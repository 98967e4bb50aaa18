/**
 * The command line: draw a workflow, check it, run it and see what happened.
 */
import { readFileSync } from "node:fs"
import { styleText } from "node:util"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import { Argument, Command, Flag } from "effect/cli"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { Observer, run, type TraceEntry } from "stepgraph"
import { compare } from "../../Compare.ts"
import { toDot } from "../../Dot.ts"
import { toHtml } from "../../Html.ts"
import { withLiveView } from "../../Live.ts"
import { toMermaid } from "../../Mermaid.ts"
import { toSvg } from "../../Svg.ts"
import { toText } from "../../Text.ts"
import { timeline } from "../../Timeline.ts"
import type { DrawOptions } from "../picture.ts"
import { count } from "../text.ts"
import { Misuse, NotWell } from "./errors.ts"
import { kindOf, readTrace, write } from "./files.ts"
import { type AnyFlow, workflowOf, workflowsOf } from "./load.ts"

const file = Argument.String("file").pipe(
  Argument.withDescription("A file that exports a workflow, in TypeScript or JavaScript")
)
const which = Flag.String("workflow").pipe(
  Flag.withAlias("w"),
  Flag.withDescription("Which workflow, where the file exports several: its exported name or its own"),
  Flag.optional
)

const terminal = () => ({
  width: process.stdout.columns ?? 100,
  colour: styleText("bold", "x", { stream: process.stdout }) !== "x"
})

const pictures = {
  ".svg": "a picture",
  ".html": "a page",
  ".mmd": "Mermaid",
  ".dot": "Graphviz",
  ".txt": "text"
} as const

const picture = (kind: keyof typeof pictures, flow: AnyFlow, options: DrawOptions): string => {
  switch (kind) {
    case ".svg":
      return toSvg(flow, options)
    case ".html":
      return toHtml(flow, options)
    case ".mmd":
      return `${toMermaid(flow, options)}\n`
    case ".dot":
      return `${toDot(flow, options)}\n`
    case ".txt":
      return `${toText(flow)}\n`
  }
}

const draw = Command.make(
  "draw",
  {
    file,
    which,
    output: Flag.String("output").pipe(
      Flag.withAlias("o"),
      Flag.withDescription("Where to: a file that ends in .svg, .html, .mmd, .dot or .txt; the terminal when left out"),
      Flag.optional
    ),
    direction: Flag.Literals("direction", ["right", "down"]).pipe(
      Flag.withDescription(
        "Which way the events go; when left out, a short workflow is drawn to the right and a long one down"
      ),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ file, which, output, direction }) {
    const kind = Option.isSome(output) ? yield* kindOf(output.value, pictures) : undefined
    const flow = yield* workflowOf(file, Option.getOrUndefined(which))
    if (kind === undefined || Option.isNone(output)) return yield* Console.log(toText(flow, terminal()))
    yield* write(output.value, picture(kind, flow, Option.isSome(direction) ? { direction: direction.value } : {}))
    yield* Console.error(`${flow.name} is drawn in ${output.value}`)
  })
).pipe(
  Command.withDescription("Draw a workflow"),
  Command.withExamples([
    { command: "stepgraph draw flow.ts", description: "In the terminal" },
    { command: "stepgraph draw flow.ts -o flow.svg", description: "As a picture" }
  ])
)

const check = Command.make(
  "check",
  { file },
  Effect.fnUntraced(function* ({ file }) {
    for (const [, { name, steps }] of yield* workflowsOf(file)) {
      yield* Console.log(`workflow '${name}' has no problems (${count(Object.keys(steps).length, "step")})`)
    }
  })
).pipe(Command.withDescription("List what is wrong with the workflows of a file; exit code 1 where something is"))

const timelines = { ".html": "a page", ".svg": "a picture", ".txt": "text", ".json": "the trace itself" } as const

const parseInput = (text: string): Effect.Effect<unknown, Misuse> =>
  Effect.try({
    try: () => JSON.parse(text.startsWith("@") ? readFileSync(text.slice(1), "utf8") : text),
    catch: (error) => new Misuse({ message: `The input is no JSON: ${(error as Error).message}` })
  })

const runIt = Command.make(
  "run",
  {
    file,
    which,
    input: Flag.String("input").pipe(
      Flag.withAlias("i"),
      Flag.withDescription("The start event's fields as JSON, or @ and the name of a file that has them"),
      Flag.withDefault("{}")
    ),
    output: Flag.String("timeline").pipe(
      Flag.withAlias("t"),
      Flag.withDescription("Where to write what happened: a file that ends in .html, .svg, .txt or .json"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ file, which, input, output }) {
    const kind = Option.isSome(output) ? yield* kindOf(output.value, timelines) : undefined
    const fields = yield* parseInput(input)
    const flow = yield* workflowOf(file, Option.getOrUndefined(which))
    if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
      return yield* new Misuse({
        message: `The input is no object with the fields of '${flow.start.tag}': write --input '{ … }'.`
      })
    }
    const trace: Array<TraceEntry> = []
    const keep = Effect.suspend(() => {
      if (kind === undefined || Option.isNone(output) || trace.length === 0) return Effect.void
      const told = () => {
        const happened = timeline(trace, { workflow: flow })
        return kind === ".html" ? toHtml(happened) : kind === ".svg" ? toSvg(happened) : `${toText(happened)}\n`
      }
      const text = kind === ".json" ? `[\n${trace.map((entry) => JSON.stringify(entry)).join(",\n")}\n]\n` : told()
      return Effect.andThen(write(output.value, text), Console.error(`What happened is in ${output.value}`))
    })
    const running = Effect.provideService(
      withLiveView(run(flow, fields as any) as Effect.Effect<unknown, unknown>, flow),
      Observer,
      // Without a timeline to write nothing of the trace is needed, and a long run's is large.
      kind === undefined ? undefined : (entry) => void trace.push(entry)
    )
    const exit = yield* Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Effect.exit(restore(running)), (exit) => Effect.as(keep, exit))
    )
    if (Exit.isSuccess(exit)) return yield* Console.log(JSON.stringify(exit.value, null, 2))
    if (Cause.hasInterruptsOnly(exit.cause)) return yield* Effect.interrupt
    const error = Cause.squash(exit.cause) as {
      readonly _tag?: string
      readonly event?: unknown
      readonly message?: string
    }
    const message = error instanceof Error ? error.message : String(error)
    if (error._tag === "InvalidEvent" && trace.length === 0 && error.event === flow.start.tag) {
      return yield* new Misuse({ message: `The input does not fit: ${message}` })
    }
    return yield* new NotWell({ message: `The run failed: ${message}` })
  })
).pipe(
  Command.withDescription("Run a workflow, showing how it goes, and print its stop event"),
  Command.withExamples([
    { command: `stepgraph run flow.ts --input '{ "n": 3 }'`, description: "With the start event's fields" },
    { command: "stepgraph run flow.ts --timeline run.html", description: "See afterwards what happened" }
  ])
)

const trace = (name: string) =>
  Argument.String(name).pipe(Argument.withDescription("A trace that `run --timeline FILE.json` has written"))

const comparing = Command.make(
  "compare",
  {
    left: trace("left"),
    right: trace("right"),
    output: Flag.String("output").pipe(
      Flag.withAlias("o"),
      Flag.withDescription("Where to: a file that ends in .html or .txt; the terminal when left out"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ left, right, output }) {
    const kind = Option.isSome(output) ? yield* kindOf(output.value, { ".html": "a page", ".txt": "text" }) : undefined
    const [one, other] = yield* Effect.all([timelineOf(left), timelineOf(right)])
    const found = compare(one, other)
    if (kind === undefined || Option.isNone(output)) return yield* Console.log(toText(found, terminal()))
    yield* write(output.value, kind === ".html" ? toHtml(found) : `${toText(found)}\n`)
    yield* Console.error(`What differs is in ${output.value}`)
  })
).pipe(Command.withDescription("Tell what differs between two runs"))

const timelineOf = (file: string) =>
  Effect.flatMap(readTrace(file), (entries) =>
    Effect.try({ try: () => timeline(entries), catch: () => new Misuse({ message: `There is no run in ${file}.` }) })
  )

export const stepgraph = Command.make("stepgraph").pipe(
  Command.withDescription("See a workflow, and what its runs do"),
  Command.withSubcommands([draw, check, runIt, comparing])
)
