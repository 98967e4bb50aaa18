/**
 * The subcommands: draw a workflow, check it, run it, watch its runs on a page, compare two runs, look at durable ones.
 */
import {
  compare,
  type DrawOptions,
  textOptions,
  timeline,
  toDot,
  toHtml,
  toMermaid,
  toSvg,
  toText
} from "@stepgraph/viz"
import * as Console from "effect/Console"
import { Argument, Command, Flag } from "effect/cli"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { AnyWorkflow } from "stepgraph"
import { dev, open } from "./dev/command.ts"
import { Misuse } from "./errors.ts"
import { destination, readTrace, write } from "./files.ts"
import { inputOf } from "./input.ts"
import { distinct, workflowOf, workflowsOf } from "./load.ts"
import { runOnce, timelines } from "./run.ts"
import { runs } from "./runs.ts"
import { schemasOf } from "./schemas.ts"

const file = Argument.String("file").pipe(
  Argument.withDescription("A TypeScript or JavaScript file that exports a workflow")
)
const which = Flag.String("workflow").pipe(
  Flag.withAlias("w"),
  Flag.withDescription("Which workflow to use if the file exports several: its export name or its own name"),
  Flag.optional
)

const count = (steps: number) => (steps === 1 ? "1 step" : `${steps} steps`)

const pictures = {
  ".svg": "a picture",
  ".html": "a page",
  ".mmd": "Mermaid",
  ".dot": "Graphviz",
  ".txt": "text"
} as const

const picture = (kind: keyof typeof pictures, flow: AnyWorkflow, options: DrawOptions): string => {
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
      Flag.withDescription("Output file, ending in .svg, .html, .mmd, .dot or .txt. Default: the terminal"),
      Flag.optional
    ),
    direction: Flag.Literals("direction", ["right", "down"]).pipe(
      Flag.withDescription("Drawing direction. Default: right for a short workflow, down for a long one"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ file, which, output, direction }) {
    const to = Option.isSome(output) ? yield* destination(output.value, pictures) : undefined
    const flow = yield* workflowOf(file, Option.getOrUndefined(which))
    if (to === undefined) return yield* Console.log(toText(flow, textOptions(process.stdout)))
    yield* write(to.file, picture(to.kind, flow, Option.isSome(direction) ? { direction: direction.value } : {}))
    yield* Console.error(`Drew ${flow.name} in ${to.file}`)
  })
).pipe(
  Command.withDescription("Draw a workflow. This imports the file, so its top-level code runs"),
  Command.withExamples([
    { command: "stepgraph draw flow.ts", description: "In the terminal" },
    { command: "stepgraph draw flow.ts -o flow.svg", description: "As a picture" }
  ])
)

const check = Command.make(
  "check",
  { file },
  Effect.fnUntraced(function* ({ file }) {
    for (const { name, steps } of distinct(yield* workflowsOf(file)).values()) {
      yield* Console.log(`workflow '${name}' has no problems (${count(Object.keys(steps).length)})`)
    }
  })
).pipe(Command.withDescription("List the problems of a file's workflows, with exit code 1 if there are any"))

const runIt = Command.make(
  "run",
  {
    file,
    which,
    input: Flag.String("input").pipe(
      Flag.withAlias("i"),
      Flag.withDescription("The start event's fields as JSON, or @ and the name of a JSON file"),
      Flag.withDefault("{}")
    ),
    timeline: Flag.String("timeline").pipe(
      Flag.withAlias("t"),
      Flag.withDescription("Write the run's timeline to a file ending in .html, .svg, .txt or .json"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ file, which, input, timeline }) {
    const kept = Option.isSome(timeline) ? yield* destination(timeline.value, timelines) : undefined
    const flow = yield* workflowOf(file, Option.getOrUndefined(which))
    const schemas = yield* schemasOf(file, flow)
    yield* runOnce(flow, yield* inputOf(flow, input, schemas), schemas, kept)
  })
).pipe(
  Command.withDescription("Run a workflow, show its progress and print its stop event"),
  Command.withExamples([
    { command: `stepgraph run flow.ts --input '{ "n": 3 }'`, description: "With the start event's fields" },
    { command: "stepgraph run flow.ts --timeline run.html", description: "Save a timeline of the run" }
  ])
)

const trace = (name: string) =>
  Argument.String(name).pipe(Argument.withDescription("A trace written by `run --timeline FILE.json`"))

const comparisons = { ".html": "a page", ".txt": "text" } as const

const comparing = Command.make(
  "compare",
  {
    left: trace("left"),
    right: trace("right"),
    output: Flag.String("output").pipe(
      Flag.withAlias("o"),
      Flag.withDescription("Output file, ending in .html or .txt. Default: the terminal"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ left, right, output }) {
    const to = Option.isSome(output) ? yield* destination(output.value, comparisons) : undefined
    const [one, other] = yield* Effect.all([timelineOf(left), timelineOf(right)])
    const found = compare(one, other)
    if (to === undefined) return yield* Console.log(toText(found, textOptions(process.stdout)))
    yield* write(to.file, to.kind === ".html" ? toHtml(found) : `${toText(found)}\n`)
    yield* Console.error(`Wrote the differences to ${to.file}`)
  })
).pipe(Command.withDescription("Show the differences between two runs"))

const timelineOf = (file: string) =>
  Effect.flatMap(readTrace(file), (entries) =>
    Effect.try({ try: () => timeline(entries), catch: () => new Misuse({ message: `${file} contains no run.` }) })
  )

export const stepgraph = Command.make("stepgraph").pipe(
  Command.withDescription("Draw, check, run and watch workflows, and look at durable runs"),
  Command.withSubcommands([draw, check, runIt, dev, open, comparing, runs])
)
