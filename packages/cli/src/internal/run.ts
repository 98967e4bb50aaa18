/**
 * One run from the command line: its input, its live view, its timeline and its outcome.
 */
import { inspect } from "node:util"
import { timeline, toHtml, toSvg, toText, withLiveView } from "@stepgraph/viz"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import { type AnyWorkflow, Observer, run, type TraceEntry } from "stepgraph"
import { dataOf, secretOf } from "stepgraph/internal"
import { Failed, type Misuse } from "./errors.ts"
import { type Destination, write } from "./files.ts"
import type { Schemas } from "./schemas.ts"

export const timelines = {
  ".html": "a page",
  ".svg": "a picture",
  ".txt": "text",
  ".json": "the trace itself"
} as const
type Kind = keyof typeof timelines

/** Runs a workflow, prints its stop event and writes the timeline, whether or not the run succeeds. */
export const runOnce = (
  flow: AnyWorkflow,
  fields: object,
  schemas: Schemas,
  kept: Destination<Kind> | undefined
): Effect.Effect<void, Misuse | Failed> =>
  Effect.gen(function* () {
    const trace: Array<TraceEntry> = []
    let began: string | undefined
    let failed: string | undefined
    const observe = (entry: TraceEntry): void => {
      began ??= entry.run
      if (entry.run === began && entry._tag === "InvocationEnded" && entry.outcome === "failed") failed ??= entry.step
      // Traces of long runs are large, so record only if a timeline is wanted.
      if (kept !== undefined) trace.push(entry)
    }
    const running = withLiveView(run(flow, fields as any) as Effect.Effect<{ _tag: string }, unknown>, flow).pipe(
      Effect.provideService(Observer, observe)
    )
    const exit = yield* Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const exit = yield* Effect.exit(restore(running))
        if (Exit.isSuccess(exit)) yield* Console.log(asJson(flow, exit.value, schemas))
        if (kept !== undefined && trace.length > 0) {
          yield* write(kept.file, recordOf(flow, trace, kept.kind))
          yield* Console.error(`Wrote the timeline to ${kept.file}`)
        }
        return exit
      })
    )
    if (Exit.isSuccess(exit)) return
    if (Cause.hasInterruptsOnly(exit.cause)) return yield* Effect.interrupt
    return yield* new Failed({ message: `The run failed: ${failureText(flow, Cause.squash(exit.cause), failed)}` })
  })

/** The stop event as its schema encodes it, or unencoded if that fails. */
const asJson = ({ stop }: AnyWorkflow, event: { readonly _tag: string }, schemas: Schemas): string => {
  const def = [stop].flat().find(({ tag }) => tag === event._tag)
  // Redacted values stay hidden.
  if (secretOf(def.schema) !== undefined) {
    return JSON.stringify({ _tag: event._tag, ...(dataOf(def, event) as object) }, null, 2)
  }
  const encode = schemas.encodeUnknownOption(schemas.toCodecJson(def.schema as Schema.Codec<unknown>))
  try {
    return JSON.stringify(
      Option.getOrElse(encode(event), () => event),
      null,
      2
    )
  } catch {
    return inspect(event)
  }
}

const recordOf = (flow: AnyWorkflow, trace: ReadonlyArray<TraceEntry>, kind: Kind): string => {
  if (kind === ".json") return `[\n${trace.map((entry) => JSON.stringify(entry)).join(",\n")}\n]\n`
  const happened = timeline(trace, { workflow: flow })
  return kind === ".html" ? toHtml(happened) : kind === ".svg" ? toSvg(happened) : `${toText(happened)}\n`
}

const mostFrames = 3

/** Explains why a run failed. A step's own error does not name its step, so add it. */
const failureText = (flow: AnyWorkflow, error: unknown, step: string | undefined): string => {
  const { _tag, cause } = (error ?? {}) as { readonly _tag?: string; readonly cause?: unknown }
  const own = error instanceof Error ? error.message : typeof error === "string" ? error : ""
  const isBare = error instanceof Error && Object.keys(error).length === 0
  const words = own || (isBare ? error.name : inspect(error instanceof Error ? { ...error } : error))
  const message = step === undefined || words.includes(`step '${step}'`) ? words : `step '${step}' failed: ${words}`
  if (message.includes("Service not found: ")) {
    return `${message}\nThe command line provides no services: run this workflow from a program that provides it.`
  }
  if (_tag === "WorkflowStalled" && flow.inputs.length > 0) {
    const inputs = flow.inputs.map(({ tag }: { readonly tag: string }) => `'${tag}'`).join(", ")
    return `${message}\nThe command line sends no inputs (${inputs}): launch this workflow from a program that sends them.`
  }
  // Show the first frame in the user's own code; the frames behind it belong to the runtime.
  const stack = cause instanceof Error ? (cause.stack ?? "").split("\n").slice(1) : []
  const runtime = stack.findIndex((line) => line.includes("at Invocation."))
  const frames = stack.slice(0, runtime < 0 ? stack.length : runtime).filter((line) => /[/\\]/.test(line))
  return [message, ...frames.filter((line) => !/node_modules|node:/.test(line)).slice(0, mostFrames)].join("\n")
}
